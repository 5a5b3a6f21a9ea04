"""Whether the database is still the file that the next start will read. Rule C-66 of protocol.md.

SQLite goes on to write into an open file that was removed, renamed or replaced, and into a log that was removed: it
answers OK, and after a restart the rows are gone. So after each statement, on the thread of the database and before
any row is acknowledged, the names are compared with what was opened: two stat calls a batch, 16 µs together where it
was measured (a virtual machine with slow system calls). A file that was overwritten in place (cp) is the same file
and is not noticed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger("chatd.store")

Identity = tuple[int, int]
"""Device and inode."""


class DisplacedError(sqlite3.OperationalError):
    """The database, or its log, is not what was opened; the message says what happened and what to do."""

    sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED  # SQLite's own, where it notices: without a write-ahead log


class FileGuard:
    """The names of one database, from `arm` on. What was displaced once stays so: only a restart opens it again."""

    def __init__(self, named: Path, path: Path) -> None:
        """`named` is what the next start will follow, links and all, to what is now `path`."""
        self.fault: str | None = None
        self._named = str(named.absolute())
        self._wal = f"{path}-wal"
        self._opened: tuple[Identity | None, Identity | None] | None = None

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        """A factory for sqlite3.connect: connections whose statements fail when the file was displaced."""
        connection = _GuardedConnection(*args, **options)
        connection.guard = self
        return connection

    def arm(self) -> None:
        """Begin to compare: the database and its log are open."""
        self._opened = (_identity(self._named), _identity(self._wal))

    def check(self) -> None:
        """Raises DisplacedError."""
        if self._opened is None:
            return
        if self.fault is None:
            database, wal = _identity(self._named), _identity(self._wal)
            if (database, wal) == self._opened:
                return
            self.fault = self._describe(database, wal)
            log.error("the database file was moved or replaced; nothing is stored", extra={"cause": self.fault})
        raise DisplacedError(self.fault)

    def _describe(self, database: Identity | None, wal: Identity | None) -> str:
        if database is None:
            return f"{self._named} was removed or moved: put back the file that chatd shall use, then restart chatd"
        if self._opened is not None and database != self._opened[0]:
            return f"{self._named} was replaced by another file: restart chatd to use that one"
        return f"{self._wal} was {'removed' if wal is None else 'replaced'}: restart chatd"


class _GuardedConnection(sqlite3.Connection):
    guard: FileGuard
    _is_emptied = False

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if self.guard.fault is not None:
            self._empty_log()
            self.guard.check()
        cursor = super().execute(sql, parameters)
        try:
            self.guard.check()
        except DisplacedError:
            cursor.close()
            self._empty_log()
            raise
        return cursor

    def _empty_log(self) -> None:
        """Bring what was acknowledged into the file that was opened, wherever that is now.

        SQLite reaches it, and its log, by descriptor. A log that stays beside another database would be taken for
        that one's at the next start. Where this fails, as on a connection that only reads, the next statement tries.
        """
        if self._is_emptied:
            return
        with contextlib.suppress(sqlite3.Error):
            [(busy, _, _)] = super().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._is_emptied = busy == 0


def _identity(name: str) -> Identity | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - a third of the time that Path.stat takes
    except OSError:
        return None
    return found.st_dev, found.st_ino
