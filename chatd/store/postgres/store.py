"""Messages in one PostgreSQL database. Rules P-01 to P-10.

Queues, batches and answers are in chatd/store/queued.py, reconnecting connections in link.py, the lock in lock.py, the
tables in schema.py, queries in library.py, the translation of errors in faults.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chatd.base.errors import ChatdError, ConfigError
from chatd.base.tasks import Tasks
from chatd.store.base import Found, Message, MessageId, Question, StoreError, Used
from chatd.store.config import StoreConfig
from chatd.store.doubt import Doubt
from chatd.store.library import Library
from chatd.store.marks import Furthest, Table
from chatd.store.queued import QueuedStore

from . import faults, lock
from .connecting import Connector, server_of
from .dialect import translated
from .library import PostgresLibrary, find
from .link import FIRST_PAUSE_S, MAX_PAUSE_S, DownError, Link, Readers
from .schema import MIGRATIONS, migrate, version_of
from .texts import decode, encode

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Connection

log = logging.getLogger("chatd.store")

T = TypeVar("T")

_KEY_BYTES: Final = 32

SIZE_S: Final = 60.0
"""Seconds between two measurements of the size of the database."""

# Seconds that a start waits for the lock: after a crash of a client machine or of its network, the server may take half
# a minute to notice the end of the session that has the lock (_ALIVE in connecting.py).
HELD_S: Final = 35.0

INSERT: Final = """
    INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado, cid)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::smallint[], $7::text[])
"""

# All messages of a group are stored, or none.
_IS_STORED: Final = "SELECT EXISTS (SELECT FROM mensajes WHERE id = ANY($1::bigint[]))"

# A commit like those of messages: with synchronous replication it returns after the standby has confirmed it.
_COMMIT: Final = """
    INSERT INTO secretos (nombre, valor) VALUES ('prueba', '') ON CONFLICT (nombre) DO UPDATE SET valor = excluded.valor
"""

_PROBE: Final = "DELETE FROM mensajes WHERE false"

# See _TRIAL_WRITE in chatd/store/sqlite.py.
_TRIAL_WRITE: Final = """
    INSERT INTO secretos (nombre, valor) VALUES ('prueba', decode(repeat('00', 65536), 'hex'))
    ON CONFLICT (nombre) DO UPDATE SET valor = excluded.valor
"""


class UnreachableError(ChatdError):
    """The server cannot be used yet. Not a ConfigError, so that systemd restarts the daemon."""


class PostgresStore(QueuedStore):
    """A Store on one database, which it has alone from `open` to `close`."""

    def __init__(self, config: StoreConfig, *, held_s: float = HELD_S) -> None:
        """`held_s`: seconds that `open` waits for another daemon to end."""
        super().__init__(config)
        self._held_s = held_s
        self._timeout_s = config.db_timeout_s
        self._connector = Connector(config)
        self._node: int | None = None  # the number of this node, if there are several
        self._process: int | None = None  # the process id of the writing session on the server
        self._link = Link("writing", self._connect_writer, config.db_timeout_s)
        self._server: datetime | None = None  # the server of the writing session
        self.doubt: Doubt | None = None  # at most one: nothing is written until its outcome is known
        self._finder = Link("lookups", self._connect_reader, config.db_timeout_s)
        self._readers = Readers(
            [Link("reading", self._connect_reader, config.db_timeout_s) for _ in range(config.db_readers)]
        )
        self._library = PostgresLibrary(self._readers)
        self._used: Used | None = None
        self._tasks = Tasks()
        self._watch: asyncio.Task[None] | None = None

    @property
    def free_bytes(self) -> int | None:
        """See Store.free_bytes."""
        return None

    @property
    def used(self) -> Used | None:
        """See Store.used."""
        return self._used

    @property
    def displaced(self) -> bool:
        """See Store.displaced: always False, because there is no file."""
        return False

    @property
    def library(self) -> Library:
        """See Store.library."""
        return self._library

    async def open(self) -> MessageId | None:
        """See Store.open. Waits for a server that is starting. Raises UnreachableError if that takes too long."""
        try:
            for part in (self._link, self._finder, self._readers):
                await self._wait_for(part.open)
            greatest = await self._wait_for(self._greatest)
        except BaseException:
            await self.close()
            raise
        self._start_queues()
        self._watch = self._tasks.start(self._watch_size(), "size of the database")
        log.info("store open", extra={"path": "PostgreSQL", "greatest_id": greatest})
        return greatest

    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Store.run."""
        return _decoded(await self._write(translated(sql), *_encoded(values)))

    async def query(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Store.query."""
        try:
            return _decoded(await self._readers.fetch(translated(sql), *_encoded(values)))
        except faults.ERRORS as error:
            raise faults.lookup_error(error) from faults.cause(error)

    @contextlib.asynccontextmanager
    async def sweep_turn(self) -> AsyncIterator[bool]:
        """See OldRows.sweep_turn. An advisory lock of the writing session, which is released when this node dies.

        If the session is lost during the turn, another node may take the turn. Steps of two nodes may then overlap,
        which is harmless: each row is deleted once.
        """
        [(taken,)] = await self._write(lock.TAKE_SWEEP)
        try:
            yield taken
        finally:
            if taken:
                with contextlib.suppress(StoreError):
                    await self._write(lock.LEAVE_SWEEP)

    async def fault(self) -> str | None:
        """See Store.fault."""
        for fault in (self._link.fault, self._finder.fault, self._readers.fault):
            if fault is not None:
                return f"the database cannot be used: {fault}"
        try:
            await self._link.fetch(_TRIAL_WRITE if self._writer.failing else _PROBE)
        except faults.ERRORS as error:
            return f"the database cannot be written: {faults.advice(error)}"
        return None

    async def _watch_size(self) -> None:
        """Measure the size at intervals: the server stats each file of the database, which takes milliseconds."""
        while True:
            with contextlib.suppress(StoreError):  # the next query gets the same error
                [(size,)] = await self.query("SELECT pg_database_size(current_database())")
                self._used = Used(size, None)
            await asyncio.sleep(SIZE_S)

    async def close(self) -> None:
        """See Store.close."""
        if self._watch is not None:
            self._watch.cancel()
        try:
            await self._close_queues()
        finally:
            for part in (self._readers, self._finder, self._link):
                await part.close()

    async def _wait_for(self, part: Callable[[], Awaitable[T]]) -> T:
        """Run one part of a start; repeat it after temporary faults. Raises ConfigError and UnreachableError."""
        fault: Exception
        begun, pause_s = monotonic(), FIRST_PAUSE_S
        while True:
            try:
                return await part()
            except lock.HeldError as error:
                fault, patience_s = error, self._held_s
            except (*faults.ERRORS, faults.ForeignError) as error:
                if not faults.is_temporary(error):
                    raise ConfigError(f"db: cannot use the database: {faults.advice(error)}") from error
                fault, patience_s = error, self._timeout_s
            advice = f"cannot use the database: {faults.advice(fault)}"
            if monotonic() + pause_s > begun + patience_s:
                raise UnreachableError(f"db: {advice}") from fault
            if pause_s == FIRST_PAUSE_S:
                log.warning("a start waits for the database", extra={"cause": advice})
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def _greatest(self) -> MessageId | None:
        [(greatest,)] = await self._link.fetch("SELECT max(id) FROM mensajes")
        return None if greatest is None else MessageId(greatest)

    async def _connect_writer(self) -> Connection:
        """Connect, take the lock, and check that it is still the database that this daemon started with."""
        connection = await self._connector.writer()
        try:
            self._process = await lock.take(connection, self._process, self._node)
            await self._check_place(connection)
            if self._recovery_key is None:
                await migrate(connection)
                self._recovery_key = await _own_key(connection)
            elif await version_of(connection) != len(MIGRATIONS) or await _own_key(connection) != self._recovery_key:
                raise faults.ForeignError("the server has another database now: restart chatd to use that one")
            self._follow(await server_of(connection))
            await _prove_that_commits_return(connection)
            await self._settle_doubt(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _check_place(self, connection: Connection) -> None:
        """Called with the lock. Raises ForeignError if this daemon may not use the database any more."""

    async def _settle_doubt(self, connection: Connection) -> None:
        """Find out whether the group in doubt is stored. The lock shows that the previous session has ended."""
        if (doubt := self.doubt) is not None:
            is_stored = await connection.fetchval(_IS_STORED, doubt.ids)
            self.doubt = None
            doubt.decide(is_stored=is_stored)

    async def _connect_reader(self) -> Connection:
        """Connect to the server of the writing session, because another server may lack the latest messages."""
        connection = await self._connector.reader()
        try:
            if await server_of(connection) != self._server:
                raise ConnectionError("it is not the server that the messages are written to")
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _follow(self, server: datetime) -> None:
        """Set the server of the writing session; reading sessions on another server reconnect."""
        if self._server not in (None, server):
            for part in (self._finder, self._readers):
                part.renew("the messages are written to another server now")
        self._server = server

    async def _insert(self, batch: Sequence[Message]) -> None:
        try:
            await self._send(batch)
        except faults.ERRORS as error:
            failure = faults.store_error(error)
            if isinstance(error, DownError) or not faults.leaves_doubt(error):
                raise failure from faults.cause(error)
            failure.doubt = self.doubt = Doubt(row.id for row in batch)
            # After a timeout the senders have waited long enough.
            if not await failure.doubt.answer(0.0 if isinstance(error, TimeoutError) else self._timeout_s):
                raise failure from faults.cause(error)
        self._count(len(batch))

    async def _send(self, batch: Sequence[Message]) -> None:
        """Commit the batch. Raises what the driver raises."""
        await self._link.fetch(INSERT, *columns(batch))

    async def _write_marks(self, table: Table, marks: Furthest) -> None:
        keys = sorted(marks)  # the same order on every node, so that two nodes do not deadlock on the rows
        columns: list[list[Any]] = [[encode(key[place]) for key in keys] for place in range(len(table.key))]
        await self._write(_upsert(table), *columns, [marks[key] for key in keys])

    async def _find(self, questions: Sequence[Question]) -> list[Found]:
        if self.doubt is not None:  # a row that is visible now may be missing on the standby, and so be lost
            raise faults.lookup_error(DownError("a commit is in doubt"))
        try:
            return await find(self._finder, questions)
        except faults.ERRORS as error:
            raise faults.lookup_error(error) from faults.cause(error)

    async def _write(self, sql: str, *values: Any) -> list[Any]:
        """Run and commit one statement. Returns its rows. Raises StoreError."""
        try:
            return await self._link.fetch(sql, *values)
        except faults.ERRORS as error:
            raise faults.store_error(error) from faults.cause(error)


def columns(batch: Sequence[Message]) -> list[list[Any]]:
    """The values for INSERT."""
    return [
        [row.id for row in batch],
        [encode(row.de) for row in batch],
        [encode(row.para) for row in batch],
        [encode(row.mensaje) for row in batch],
        [row.fecha for row in batch],
        [int(row.supervisado) for row in batch],
        [None if row.cid is None else encode(row.cid) for row in batch],
    ]


async def _prove_that_commits_return(connection: Connection) -> None:
    """Make a commit; a server that waits for a standby answers all but that. Rule P-12. Raises errors of the driver."""
    try:
        await connection.execute(_COMMIT)
    except faults.ERRORS as error:
        if faults.breaks(error):
            raise


def _encoded(values: Sequence[int | str | None]) -> list[int | str | None]:
    return [encode(value) if isinstance(value, str) else value for value in values]


def _decoded(rows: Sequence[Sequence[Any]]) -> list[Any]:
    return [tuple(decode(value) if isinstance(value, str) else value for value in row) for row in rows]


def _upsert(table: Table) -> str:
    """The statement that stores marks. Parameters: an array for each column. Only constants are inserted."""
    names = [f'"{name}"' for name in (*table.key, table.value)]
    column, zero = ("", "") if table.zero is None else (f", {table.zero}", ", 0")
    arrays = [*(f"${place}::text[]" for place in range(1, len(table.key) + 1)), f"${len(names)}::bigint[]"]
    key, value = ", ".join(names[:-1]), names[-1]
    return f"""
        INSERT INTO {table.name} ({key}, {value}{column}) SELECT *{zero} FROM unnest({", ".join(arrays)})
        ON CONFLICT ({key}) DO UPDATE SET {table.moved}
    """  # noqa: S608


async def _own_key(connection: Connection) -> bytes:
    """The recovery key of the database; created if there is none."""
    made = secrets.token_bytes(_KEY_BYTES)
    await connection.execute(
        "INSERT INTO secretos (nombre, valor) VALUES ('recuperacion', $1) ON CONFLICT DO NOTHING", made
    )
    return bytes(await connection.fetchval("SELECT valor FROM secretos WHERE nombre = 'recuperacion'"))
