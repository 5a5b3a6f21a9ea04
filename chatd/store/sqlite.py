"""Messages in one SQLite file, through aiosqlite.

The queue and the batches are in writer.py, the questions in lookup.py, the connection that only reads in reader.py, the
tables in schema.py, the meaning of SQLite's errors in faults.py.
"""

from __future__ import annotations

import functools
import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiosqlite

from chatd.errors import ConfigError

from . import faults, schema
from .base import Answer, Done, Found, Message, MessageId, Question, StoreCounters
from .config import StoreConfig
from .lock import FileLock
from .lookup import GroupLookup, find_sql, find_values, found
from .reader import Reader
from .writer import GroupCommit

log = logging.getLogger("chatd.store")

_WAL_KEPT_BYTES: Final = 67_108_864


class SqliteStore:
    """A Store on one file, which it owns from `open` to `close`.

    While it is open, two threads of aiosqlite's wait for work, and Python waits for them at its end: so
    `close` must be called, unless the process is to end at once (os._exit or a signal).
    """

    def __init__(self, config: StoreConfig) -> None:
        self._config = config
        self._path = Path(config.db).resolve()  # one lock, whatever link leads to the file
        self._lock = FileLock(self._path)
        self._connection: aiosqlite.Connection | None = None
        self._writer = GroupCommit(self._insert, max_rows=config.max_waiting_rows, max_bytes=config.max_waiting_bytes)
        self._reader = Reader(self._path, config.busy_timeout_s)
        self._lookups = GroupLookup(self._find)

    @property
    def counters(self) -> StoreCounters:
        return self._writer.counters

    @property
    def waiting(self) -> int:
        return self._writer.waiting + self._lookups.waiting

    async def open(self) -> MessageId | None:
        """See Store.open. A file that chatd may not write is refused here, not with each message."""
        _check_library()
        _check_path(self._path)
        self._lock.acquire()
        try:
            greatest = await self._connect()
        except BaseException as error:
            await self.close()
            if isinstance(error, sqlite3.Error):
                raise ConfigError(f"cannot use the database {self._path}: {faults.advice(error)}") from error
            raise
        self._writer.start()
        self._lookups.start()
        log.info("store open", extra={"path": str(self._path), "greatest_id": greatest})
        return greatest

    def put(self, message: Message, done: Done) -> None:
        """See Store.put."""
        self._writer.put(message, done)

    def find(self, question: Question, answer: Answer) -> None:
        """See Store.find."""
        self._lookups.find(question, answer)

    async def flushed(self) -> None:
        """See Store.flushed. Answers come first, because a message may be put when one is there."""
        await self._lookups.flushed()
        await self._writer.flushed()

    async def close(self) -> None:
        """See Store.close."""
        try:
            await self._lookups.flushed()  # an answer may put a row
            await self._writer.close()
            await self._lookups.close()
        finally:
            await self._disconnect()

    async def _connect(self) -> MessageId | None:
        _create(self._path)
        # Autocommit (no isolation level): each INSERT is a transaction of its own.
        connection = await aiosqlite.connect(self._path, timeout=self._config.busy_timeout_s, isolation_level=None)
        self._connection = connection
        await self._migrate(connection)
        await self._set_up(connection)
        await self._reader.open()
        for (greatest,) in await connection.execute_fetchall("SELECT max(id) FROM mensajes"):
            return None if greatest is None else MessageId(greatest)
        raise AssertionError("an aggregate without groups has one row")

    async def _migrate(self, connection: aiosqlite.Connection) -> None:
        """First of all, so that the file of another program is left as it is."""
        try:
            await schema.migrate(connection)
        except ConfigError as error:
            raise ConfigError(f"cannot use the database {self._path}: {error}") from error

    async def _set_up(self, connection: aiosqlite.Connection) -> None:
        for (mode,) in await connection.execute_fetchall("PRAGMA journal_mode = WAL"):
            if mode != "wal":
                raise ConfigError(f"{self._path} is on a file system without shared memory: use a local disk")
        await connection.execute_fetchall(f"PRAGMA synchronous = {self._config.synchronous}")
        # A long backup makes the write-ahead log grow; this is what it shrinks to afterwards.
        await connection.execute_fetchall(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        await self._reader.close()  # first: whoever is the last to close empties the write-ahead log, and must write
        try:
            if connection is not None:
                await connection.close()
        except sqlite3.Error as error:
            # What was acknowledged is in the write-ahead log, and the next start reads it.
            log.warning("the database did not close cleanly", extra={"cause": repr(error)})
        finally:
            self._lock.release()

    async def _insert(self, batch: Sequence[Message]) -> None:
        """Commit the whole batch or nothing. Raises StoreError.

        One statement, because the interpreter's lock is dropped and taken again around each step of a statement,
        and beside a busy event loop each of these can cost a switch interval (5 ms). Measured with one core for
        the loop and one for this thread, 1,000 rows of 64 characters, FULL, CPU of this thread; `busy`: the other
        thread runs Python without a pause:

                                          idle                        busy
            executemany in BEGIN/COMMIT   200,000 rows/s, 3.5 µs      14,000-24,000 rows/s, 4-5 µs
            VALUES of the exact length    135,000 rows/s, 5.5 µs      40,000-55,000 rows/s, 5.7 µs
            this one                      220,000-310,000, 2.4-2.8    90,000-115,000 rows/s, 2.8 µs
        """
        if self._connection is None:
            raise AssertionError("the writer runs only while the file is open")
        size = 1 << (len(batch) - 1).bit_length()
        # One more value for each row takes 0.7 µs of its 2.4: a batch without any cid goes without the column.
        named = any(row.cid is not None for row in batch)
        values: list[int | str | None] = []
        for row in batch:
            # int(): the driver looks for an adapter for every bool, which takes longer than all other values
            values += (row.id, row.de, row.para, row.mensaje, row.fecha, int(row.supervisado))
            if named:
                values.append(row.cid)
        values += [None] * ((7 if named else 6) * (size - len(batch)))
        values.append(len(batch))
        try:
            await self._connection.execute_fetchall(_insert_sql(size, named=named), values)
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            raise faults.store_error(error) from error

    async def _find(self, questions: Sequence[Question]) -> list[Found]:
        """Raises StoreError."""
        size, values = find_values(questions)
        try:
            return found(questions, await self._reader.rows(find_sql(size), values))
        except sqlite3.Error as error:
            raise faults.lookup_error(error) from error


@functools.cache
def _insert_sql(size: int, *, named: bool) -> str:
    """An INSERT of up to `size` rows, with cids or without; the last parameter says of how many.

    Sizes are powers of two, so that a handful of prepared statements serve every batch: to parse one for the
    exact number takes longer than to insert its rows. What the limit cuts off is never looked at.
    """
    columns = "id, de, para, mensaje, fecha, supervisado" + (", cid" if named else "")
    rows = ",".join([f"({','.join('?' * (7 if named else 6))})"] * size)
    # Nothing but question marks is put into the text.
    return f"INSERT INTO mensajes ({columns}) SELECT * FROM (VALUES {rows}) LIMIT ?"  # noqa: S608


def _check_library() -> None:
    if sqlite3.sqlite_version_info < schema.MIN_SQLITE:
        needed = ".".join(map(str, schema.MIN_SQLITE))
        raise ConfigError(f"this Python has SQLite {sqlite3.sqlite_version}; chatd needs {needed} or newer")


def _check_path(path: Path) -> None:
    if not path.parent.is_dir():
        raise ConfigError(f"the directory {path.parent} does not exist: create it, or choose another --db")
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is not a regular file: --db takes the name of a file")


def _create(path: Path) -> None:
    """Make an absent file readable to its owner only: it will hold private messages.

    Before SQLite opens it: see FileLock for why nobody else may open it later.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigError(f"cannot create the database {path}: {error.strerror}") from error
