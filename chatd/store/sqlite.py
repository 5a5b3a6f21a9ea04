"""Messages in one SQLite file, through aiosqlite.

Queues, batches and answers are in queued.py, read-only connections in reader.py, tables in schema.py, free disk space
in space.py, the translation of SQLite's errors in faults.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiosqlite

from chatd.base.errors import ConfigError
from chatd.base.tasks import Tasks

from . import faults, schema
from .base import Found, Message, MessageId, Question, Rows, StoreCode, StoreError, Used
from .beside import BESIDE, check_log, close_to_others
from .config import StoreConfig
from .guard import FileGuard
from .library import Library
from .lock import FileLock
from .lookup import find_sql, find_values, found
from .marks import Furthest, Table, upsert
from .queued import QueuedStore
from .reader import HistoryReader, Reader
from .space import IDLE_S, Space
from .sqlitelibrary import SqliteLibrary

log = logging.getLogger("chatd.store")

_WAL_KEPT_BYTES: Final = 67_108_864
_ZERO_DELETED: Final = "PRAGMA secure_delete = ON"  # overwrite deleted rows in the file
_KEY_BYTES: Final = 32

# Writes as much as a message of 10,000 characters with its indexes. The row stays; the next trial overwrites it.
_TRIAL_WRITE: Final = """
    INSERT INTO secretos (nombre, valor) VALUES ('prueba', zeroblob(65536))
    ON CONFLICT (nombre) DO UPDATE SET valor = excluded.valor
"""


class SqliteStore(QueuedStore):
    """A Store on one file, which it has alone from `open` to `close`.

    While it is open, aiosqlite has three threads, which Python joins at exit: `close` must be called, unless the
    process ends by os._exit or a signal.
    """

    def __init__(self, config: StoreConfig) -> None:
        super().__init__(config)
        self._config = config
        self._path = Path(config.db).resolve()  # so that all links to the file have the same lock
        self._lock = FileLock(self._path)
        self._guard = FileGuard(Path(config.db), self._path)
        self._connection: aiosqlite.Connection | None = None
        self._reader = Reader(self._path, config.busy_timeout_s, self._guard.connect)
        self._history = HistoryReader(self._path, config.busy_timeout_s)
        self._space = Space(self._path, config.min_free_bytes)
        self._tasks = Tasks()
        self._space_watch: asyncio.Task[None] | None = None
        self._library = SqliteLibrary(self._history)

    @property
    def free_bytes(self) -> int:
        """See Store.free_bytes."""
        return self._space.free_bytes

    @property
    def used(self) -> Used:
        """See Store.used."""
        return self._space.used

    @property
    def displaced(self) -> bool:
        """See Store.displaced."""
        return self._guard.fault is not None

    @property
    def library(self) -> Library:
        """See Store.library."""
        return self._library

    @property
    def history(self) -> Rows:
        """The connection of the library, for tests and benchmarks with their own queries."""
        return self._history

    async def open(self) -> MessageId | None:
        """See Store.open. Also raises ConfigError if chatd may not write the file."""
        _check_library()
        _check_path(self._path)
        self._lock.acquire()
        try:
            greatest = await self._connect()
        except BaseException as error:
            await self.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise self._unusable(error) from error
            raise
        self._start_queues()
        self._space_watch = self._tasks.start(self._watch_space(), "free space")
        log.info("store open", extra={"path": str(self._path), "greatest_id": greatest})
        return greatest

    def _unusable(self, error: sqlite3.Error | OSError) -> ConfigError:
        from .access import refusal  # noqa: PLC0415 - only needed for this error

        reason = faults.advice(error) if isinstance(error, sqlite3.Error) else error.strerror
        files = [self._path, *(self._path.with_name(self._path.name + end) for end in BESIDE)]
        return ConfigError(f"cannot use the database {self._path}: {reason}{refusal(files)}")

    async def fault(self) -> str | None:
        """See Store.fault. Runs one statement, as a transaction of its own.

        Taking the lock is enough if the last batch was stored. After a failure it writes as much as a message takes,
        because a full disk shows only then.
        """
        if self._connection is None:
            return "the database is not open"
        try:
            await self._space.measure(self._connection.execute_fetchall)
            if (full := self._space.fault) is not None:
                return full
            probe = _TRIAL_WRITE if self._writer.failing else "DELETE FROM mensajes WHERE 0"
            await self._connection.execute_fetchall(probe)
        except sqlite3.Error as error:
            return f"the database cannot be written: {faults.advice(error)}"
        return None

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """See OldRows.prune."""
        await self.run(_ZERO_DELETED)
        return await super().prune(above, bound, before_ms)

    async def prune_astray(self, before_ms: int) -> int:
        """See OldRows.prune_astray."""
        await self.run(_ZERO_DELETED)
        return await super().prune_astray(before_ms)

    async def query(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Store.query."""
        if self._connection is None:
            raise StoreError(StoreCode.UNAVAILABLE, "the store is closed", retry=True)
        return await self._history.rows(sql, values)

    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Store.run."""
        if self._connection is None:
            raise StoreError(StoreCode.UNAVAILABLE, "the store is closed", retry=True)
        return await self._write(sql, values)

    async def close(self) -> None:
        """See Store.close."""
        if self._space_watch is not None:
            self._space_watch.cancel()
        try:
            await self._close_queues()
        finally:
            await self._disconnect()

    async def _connect(self) -> MessageId | None:
        check_log(self._path)
        _create(self._path)
        self._guard.open()
        # Autocommit (no isolation level): each INSERT is a transaction of its own.
        connection = await aiosqlite.connect(
            self._path, timeout=self._config.busy_timeout_s, isolation_level=None, factory=self._guard.connect
        )
        self._connection = connection
        await self._migrate(connection)
        await self._set_up(connection)
        self._recovery_key = await _own_key(connection)
        await self._space.attach(connection)
        await self._space.measure(connection.execute_fetchall)
        await self._reader.open()
        await self._history.open()
        close_to_others(self._path)
        self._guard.arm()
        for (greatest,) in await connection.execute_fetchall("SELECT max(id) FROM mensajes"):
            return None if greatest is None else MessageId(greatest)
        raise AssertionError("an aggregate without groups has one row")

    async def _migrate(self, connection: aiosqlite.Connection) -> None:
        """Migrate before any other change, so that the file of another program is not modified."""
        try:
            await schema.migrate(connection)
        except ConfigError as error:
            raise ConfigError(f"cannot use the database {self._path}: {error}") from error

    async def _set_up(self, connection: aiosqlite.Connection) -> None:
        for (mode,) in await connection.execute_fetchall("PRAGMA journal_mode = WAL"):
            if mode != "wal":
                raise ConfigError(f"{self._path} is on a file system without shared memory: use a local disk")
        await connection.execute_fetchall(f"PRAGMA synchronous = {self._config.synchronous}")
        # A long backup makes the write-ahead log grow; afterwards SQLite truncates it to this size.
        await connection.execute_fetchall(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")

    async def _disconnect(self) -> None:
        try:
            # The last connection to close checkpoints the write-ahead log, so it must be able to write. It also removes
            # the log by name. If the files were replaced, the name may be that of another log: then the read-only
            # connections, which remove nothing, are closed last.
            if await self._is_displaced():
                await self._close_writer()
            await self._history.close()
            await self._reader.close()
            await self._close_writer()
        finally:
            self._guard.close()
            self._lock.release()

    async def _is_displaced(self) -> bool:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                await self._connection.execute_fetchall("SELECT 1")  # runs the checks of the guard
        return self._guard.fault is not None

    async def _close_writer(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await connection.close()
        except sqlite3.Error as error:
            # Acknowledged messages are in the write-ahead log, which the next start reads.
            log.warning("the database did not close cleanly", extra={"cause": repr(error)})

    async def _watch_space(self) -> None:
        while True:
            await asyncio.sleep(IDLE_S)
            with contextlib.suppress(StoreError):  # the next write gets the same error
                await self._space.measure(self._write)

    async def _insert(self, batch: Sequence[Message]) -> None:
        """Commit all rows of the batch or none. Raises StoreError.

        One statement, because the driver releases and takes the interpreter lock for each step of a statement, and with
        a busy event loop each of these can take a switch interval (5 ms). Measured with one core for the loop and one
        for this thread, 1,000 rows of 64 characters, FULL, CPU of this thread; `busy`: the other thread runs Python
        without a pause:

                                          idle                        busy
            executemany in BEGIN/COMMIT   200,000 rows/s, 3.5 µs      14,000-24,000 rows/s, 4-5 µs
            VALUES of the exact length    135,000 rows/s, 5.5 µs      40,000-55,000 rows/s, 5.7 µs
            this one                      220,000-310,000, 2.4-2.8    90,000-115,000 rows/s, 2.8 µs
        """
        await self._space.measure(self._write)
        self._space.check()
        size = 1 << (len(batch) - 1).bit_length()
        # Each value takes 0.7 of the 2.4 µs of a row, so a batch without any cid omits that column.
        named = any(row.cid is not None for row in batch)
        values: list[int | str | None] = []
        for row in batch:
            # int(): for a bool or None the driver looks for an adapter, which takes longer than all other values.
            values += (row.id, row.de, row.para, row.mensaje, row.fecha, int(row.supervisado))
            if named:
                values.append(row.cid)
        # 0, not None, for the same reason: with 65 rows, 7.5 instead of 11 µs a row.
        values += [0] * ((7 if named else 6) * (size - len(batch)))
        values.append(len(batch))
        await self._write(_insert_sql(size, named=named), values)
        self._count(len(batch))

    async def _write_marks(self, table: Table, marks: Furthest) -> None:
        await self._write(*upsert(table, marks))

    async def _write(self, sql: str, values: Sequence[int | str | None]) -> list[Any]:
        """Commit one statement; its rows. Raises StoreError."""
        if self._connection is None:
            raise AssertionError("a writer runs only while the file is open")
        try:
            return list(await self._connection.execute_fetchall(sql, values))
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
    """An INSERT of up to `size` rows, with or without cids; the last parameter is the number of rows.

    Sizes are powers of two, so that a few prepared statements serve every batch: parsing a statement for the exact
    number takes longer than inserting its rows. SQLite does not evaluate rows beyond the limit.
    """
    columns = "id, de, para, mensaje, fecha, supervisado" + (", cid" if named else "")
    rows = ",".join([f"({','.join('?' * (7 if named else 6))})"] * size)
    # Only question marks are inserted into the text.
    return f"INSERT INTO mensajes ({columns}) SELECT * FROM (VALUES {rows}) LIMIT ?"  # noqa: S608


async def _own_key(connection: aiosqlite.Connection) -> bytes:
    """The recovery key of the file; created if there is none."""
    kept = "SELECT valor FROM secretos WHERE nombre = 'recuperacion'"
    for (key,) in await connection.execute_fetchall(kept):
        return bytes(key)
    key = secrets.token_bytes(_KEY_BYTES)
    await connection.execute_fetchall("INSERT INTO secretos (nombre, valor) VALUES ('recuperacion', ?)", (key,))
    return key


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
    """Create the file if it is missing, readable to its owner only, because it will hold private messages.

    Call before SQLite opens it: FileLock says why no other code may open it later.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigError(f"cannot create the database {path}: {error.strerror}") from error
