"""Whether the database is still the file that the next start will read. Rule C-66 of protocol.md.

SQLite goes on to write into an open file that was removed, renamed or replaced, and into a log that was removed: it
answers OK, and after a restart the rows are gone. So after each statement, on the thread of the database and before
any row is acknowledged, the names are compared with what was opened. Before it the database alone is looked at, so that
no checkpoint goes into a file that was overwritten: four stat calls a batch, 16 µs together where it was measured (a
virtual machine with slow system calls). Whether a file was overwritten is in content.py.
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

    sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED  # SQLite's own, where it notices: without a write-ahead log


class FileGuard:
    """The names of one database, from `arm` on. What was displaced once stays so: only a restart opens it again."""

    def __init__(self, named: Path, path: Path) -> None:
        """`named` is what the next start will follow, links and all, to what is now `path`."""
        self.fault: str | None = None
        self.may_empty_log = True
        self._named = str(named.absolute())
        self._wal, self._shm = (f"{path}{end}" for end in BESIDE)
        self._content = Content(path)
        self._database: Identity | None = None
        self._beside: tuple[Identity | None, Identity | None] = (None, None)

    def open(self) -> None:
        """Before SQLite opens the database, which is there. Raises OSError."""
        self._content.open()

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        """A factory for sqlite3.connect: statements of its connections fail after the file was replaced or moved."""
        connection = _GuardedConnection(*args, **options)
        connection.guard = self
        return connection

    def arm(self) -> None:
        """Begin to compare: the database and its log are open."""
        self._beside = _identity(self._wal), _identity(self._shm)
        self._database = _identity(self._named)

    def close(self) -> None:
        """Idempotent; after SQLite has closed the database."""
        self._database = None
        self._content.close()

    def check_database(self) -> None:
        """Raises DisplacedError for the database itself."""
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
        """Raises DisplacedError, also for the log."""
        self.check_database()
        if self._database is None or (found := (_identity(self._wal), _identity(self._shm))) == self._beside:
            return
        (wal, shm), (opened_wal, _) = found, self._beside
        name, now = (self._wal, wal) if wal != opened_wal else (self._shm, shm)
        # Where only -shm has changed, another program may use the log by a new one: it knows nothing of our locks.
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
        """The log's database was replaced, and SQLite would apply the log to the new one."""
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
        """Checkpoint acknowledged messages into the file that was opened, wherever it is now.

        SQLite reaches it, and its log, by descriptor. A log that stays beside another database would be taken for
        that one's at the next start. Where this fails, as on a connection that only reads, the next statement tries.
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
