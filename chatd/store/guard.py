"""Detects that the database file was removed, renamed or replaced while it is open. Rule C-66 of protocol.md.

SQLite writes on into an open file or log that was removed or replaced: it reports success, and after a restart the rows
are missing. So after each statement, before a row is acknowledged, the thread of the database compares the file names
with the opened files. Before each statement it checks the database alone, so that no checkpoint goes into a file that
was overwritten (content.py). This takes four stat calls per batch, 16 µs on a virtual machine with slow system calls.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .beside import BESIDE
from .content import Content

log = logging.getLogger("chatd.store")

Identity = tuple[int, int]
"""Device and inode."""


class DisplacedError(sqlite3.OperationalError):
    """The database or its log was replaced or moved; the message says what happened and what to do."""

    sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED  # SQLite raises it itself only without a write-ahead log


class FileGuard:
    """Checks the file names of one database, from `arm` on. After a fault, only a restart opens the database again."""

    def __init__(self, named: Path, path: Path) -> None:
        """`named`: the path as configured, which may be a link; `path`: the file that it leads to now."""
        self.fault: str | None = None
        self.may_empty_log = True
        self._named = str(named.absolute())
        self._wal, self._shm = (f"{path}{end}" for end in BESIDE)
        self._content = Content(path)
        self._database: Identity | None = None
        self._beside: tuple[Identity | None, Identity | None] = (None, None)

    def open(self) -> None:
        """Call before SQLite opens the database, which must exist. Raises OSError."""
        self._content.open()

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        """A factory for sqlite3.connect: statements of its connections fail after the file was replaced or moved."""
        connection = _GuardedConnection(*args, **options)
        connection.guard = self
        return connection

    def arm(self) -> None:
        """Start the checks; the database and its log must be open."""
        self._beside = _identity(self._wal), _identity(self._shm)
        self._database = _identity(self._named)

    def close(self) -> None:
        """Call after SQLite has closed the database. Idempotent."""
        self._database = None
        self._content.close()

    def check_database(self) -> None:
        """Check the database file without its log. Raises DisplacedError."""
        if self._database is None:
            return
        if self.fault is None:
            try:
                found = os.stat(self._named)  # noqa: PTH116 - a third of the time that Path.stat takes
            except OSError:
                self._report(
                    f"{self._named} was removed or moved: put back the file that chatd shall use, then restart chatd"
                )
            else:
                self._compare(found)
        if self.fault is not None:
            raise DisplacedError(self.fault)

    def check(self) -> None:
        """Check the database file and its log. Raises DisplacedError."""
        self.check_database()
        if self._database is None or (found := (_identity(self._wal), _identity(self._shm))) == self._beside:
            return
        (wal, shm), (opened_wal, _) = found, self._beside
        name, now = (self._wal, wal) if wal != opened_wal else (self._shm, shm)
        # If only -shm has changed, another program may use the log with its own -shm, and does not see our locks.
        self.may_empty_log = wal != opened_wal
        self._report(f"{name} was {'removed' if now is None else 'replaced'}: restart chatd")
        raise DisplacedError(self.fault)

    def _compare(self, found: os.stat_result) -> None:
        if (found.st_dev, found.st_ino) != self._database:
            self._report(f"{self._named} was replaced by another file: restart chatd to use that one")
        elif self._content.is_foreign(found):
            self.may_empty_log = False
            self._set_log_aside()
            self._report(f"{self._named} was overwritten: restart chatd to use what is there now")

    def _set_log_aside(self) -> None:
        """Rename the log, because SQLite would apply it to the new database file."""
        if _identity(self._wal) == self._beside[0]:
            with contextlib.suppress(OSError):
                Path(self._wal).replace(f"{self._wal}.aside")
                Path(self._shm).unlink(missing_ok=True)

    def _report(self, fault: str) -> None:
        if self.fault is None:
            log.error("the database file was moved or replaced; nothing is stored", extra={"cause": fault})
        self.fault = fault


class _GuardedConnection(sqlite3.Connection):
    guard: FileGuard
    _is_emptied = False

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        try:
            self.guard.check_database()
            cursor = super().execute(sql, parameters)
            self.guard.check()
        except DisplacedError:
            if self.in_transaction:
                self.rollback()
            self._empty_log()
            raise
        return cursor

    def _empty_log(self) -> None:
        """Checkpoint acknowledged messages into the opened database file, whatever its name is now.

        SQLite writes to it and to its log by descriptor. If the log stayed, the next start would apply it to the new
        database. If this fails, as on a read-only connection, the next statement tries again.
        """
        if self._is_emptied or not self.guard.may_empty_log:
            return
        with contextlib.suppress(sqlite3.Error):
            [(busy, _, _)] = super().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._is_emptied = busy == 0


def _identity(name: str) -> Identity | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - as above
    except OSError:
        return None
    return found.st_dev, found.st_ino
