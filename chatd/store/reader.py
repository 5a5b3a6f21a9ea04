"""A second, read-only connection to the file: it does not wait for commits, and commits do not wait for it.

In WAL mode a statement sees all commits before its start.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from . import faults

log = logging.getLogger("chatd.store")


class Reader:
    """One connection and one thread. Statements run one after the other, so a slow one delays the next."""

    def __init__(
        self, path: Path, busy_timeout_s: float, factory: Callable[..., sqlite3.Connection] = sqlite3.Connection
    ) -> None:
        """`factory`: see sqlite3.connect."""
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._factory = factory
        self._connection: aiosqlite.Connection | None = None

    async def open(self) -> None:
        """The file must exist, in WAL mode. Raises sqlite3.Error."""
        # With mode=ro SQLite creates no file, changes no page and makes no checkpoint.
        uri = f"{self._path.as_uri()}?mode=ro"
        self._connection = await aiosqlite.connect(
            uri, uri=True, timeout=self._busy_timeout_s, isolation_level=None, factory=self._factory
        )
        # The first statement opens the write-ahead log: do it now, because later the process may be out of descriptors.
        await self.rows("SELECT count(*) FROM sqlite_master")

    async def rows(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """All rows of one SELECT. Raises sqlite3.Error, and UnicodeEncodeError for a lone surrogate."""
        if self._connection is None:
            raise sqlite3.ProgrammingError("the reader is closed")  # as from a connection that is closed
        return list(await self._connection.execute_fetchall(sql, values))

    async def close(self) -> None:
        """Idempotent."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await connection.close()
        except sqlite3.Error as error:
            log.warning("the reading connection did not close cleanly", extra={"cause": repr(error)})


class HistoryReader:
    """The `Rows` of a reader of its own, so that lookups of cids do not wait for pages of history."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        self._reader = Reader(path, busy_timeout_s)

    async def open(self) -> None:
        """As Reader.open."""
        await self._reader.open()

    async def rows(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Rows.rows."""
        try:
            return await self._reader.rows(sql, values)
        except sqlite3.Error as error:
            raise faults.lookup_error(error) from error

    async def close(self) -> None:
        """Idempotent."""
        await self._reader.close()
