"""One daemon for each database: a lock of the session that writes. Rule P-05.

It is also the fence after a connection that broke: the old session may still be in the middle of a commit, and the lock
comes free only when that is over. So what the new session reads and writes knows how it has ended.
https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .driver import asyncpg

if TYPE_CHECKING:
    from asyncpg import Connection

_KIND: Final = 0x63686174  # "chat"
_DAEMON: Final = 0

_HOLDER: Final = f"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = {_KIND} AND objid = {_DAEMON} AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - numbers of ours


class HeldError(Exception):
    """Another session has the lock; the message says which."""


async def take(connection: Connection, own: int | None) -> int:
    """Take the lock, or wait for it as long as the session waits for any. Returns the process of the session.

    `own` is the process of our session before: if it still has the lock, nobody told the server that it has ended, and
    it is ended now. Raises HeldError, and what the driver raises.
    """
    if own is not None:
        sql = f"SELECT pg_terminate_backend(pid) FROM ({_HOLDER}) AS holder WHERE pid = $1"  # noqa: S608
        await connection.fetch(sql, own)
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_KIND}, {_DAEMON})")
    except asyncpg.LockNotAvailableError as error:
        raise HeldError(f"it is in use by another chatd, process {await holder(connection)} of the server") from error
    return int(connection.get_server_pid())


async def holder(connection: Connection) -> int | None:
    """The server's process whose session has the lock."""
    found = await connection.fetchval(_HOLDER)
    return None if found is None else int(found)
