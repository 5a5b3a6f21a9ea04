"""One daemon for each database, or several that have a bus: a lock of the session that writes. Rules P-05, N-03.

It also protects what follows a broken connection. The old session may still be in the middle of a commit, and it keeps
the lock until the commit has ended. The new session waits for the lock, so it sees the result of that commit.
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
"""  # noqa: S608 - numbers of ours


def of_hook(key: int) -> int:
    """The lock of a webhook, by the number of its name."""
    return _FIRST_HOOK + key % 2**30


class HeldError(PlainError):
    """Another session has the lock; the message says which."""


async def take(connection: Connection, own: int | None, node: int | None = None) -> int:
    """Take the lock, or wait for it as long as the session waits for any. Returns the process of the session.

    `own` is the process of our session before. If the server has not noticed that this session is gone, it still has
    the lock: then this ends it. Raises HeldError, and what the driver raises.

    A `node` of several shares the database with other nodes, and has its number alone.
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
    """The server's process whose session has the lock."""
    found = await connection.fetchval(_HOLDER, lock)
    return None if found is None else int(found)


async def _take(connection: Connection, function: str, lock: int, complaint: str) -> None:
    try:
        await connection.execute(f"SELECT {function}({_KIND}, {lock})")
    except asyncpg.LockNotAvailableError as error:
        raise HeldError(f"{complaint}, process {await holder(connection, lock)} of the server") from error
