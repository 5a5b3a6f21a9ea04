"""An advisory lock of the writing session: one daemon per database, or several nodes with a bus. Rules P-05, N-03.

It also orders sessions after a broken connection. The old session may still be in a commit, and it keeps the lock until
the commit has ended. The new session waits for the lock, so it sees the result of that commit.
https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .driver import asyncpg
from .faults import PlainError

if TYPE_CHECKING:
    from asyncpg import Connection

_KIND: Final = 0x63686174  # "chat"
_DAEMON: Final = 0
_FIRST_NODE: Final = 1
_SWEEP: Final = _FIRST_NODE + 1024

TAKE_SWEEP: Final = f"SELECT pg_try_advisory_lock({_KIND}, {_SWEEP})"
LEAVE_SWEEP: Final = f"SELECT pg_advisory_unlock({_KIND}, {_SWEEP})"

_FIRST_HOOK: Final = _SWEEP + 1

TAKE_HOOK: Final = f"SELECT pg_try_advisory_lock({_KIND}, $1)"
LEAVE_HOOK: Final = f"SELECT pg_advisory_unlock({_KIND}, $1)"

_HOLDER: Final = f"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = {_KIND} AND objid = $1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - only constants are inserted


def of_hook(key: int) -> int:
    """The number of the lock of a webhook; `key` is the number made from its name."""
    return _FIRST_HOOK + key % 2**30


class HeldError(PlainError):
    """Another session has the lock; the message says which."""


async def take(connection: Connection, own: int | None, node: int | None = None) -> int:
    """Take the lock, waiting for the lock_timeout of the session. Returns the process id of the session on the server.

    `own`: the process id of this daemon's previous session. If the server has not noticed its end, that session still
    has the lock, and is terminated. With `node`, other nodes may share the database, but not this number. Raises
    HeldError, and what the driver raises.
    """
    kept = _DAEMON if node is None else _FIRST_NODE + node
    if own is not None:
        sql = f"SELECT pg_terminate_backend(pid) FROM ({_HOLDER}) AS holder WHERE pid = $2"  # noqa: S608
        await connection.fetch(sql, kept, own)
    if node is None:
        await _take(connection, "pg_advisory_lock", _DAEMON, "it is in use by another chatd")
    else:
        await _take(connection, "pg_advisory_lock_shared", _DAEMON, "it is in use by a chatd without --bus")
        await _take(connection, "pg_advisory_lock", kept, f"node {node} runs already: give each its own --node")
    return int(connection.get_server_pid())


async def holder(connection: Connection, lock: int = _DAEMON) -> int | None:
    """The process id of the session that has the lock; None if it is free."""
    found = await connection.fetchval(_HOLDER, lock)
    return None if found is None else int(found)


async def _take(connection: Connection, function: str, lock: int, complaint: str) -> None:
    try:
        await connection.execute(f"SELECT {function}({_KIND}, {lock})")
    except asyncpg.LockNotAvailableError as error:
        raise HeldError(f"{complaint}, process {await holder(connection, lock)} of the server") from error
