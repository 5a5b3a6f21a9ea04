"""The store of one of several nodes: the table of nodes, messages of other nodes, and answers to its own.

The numbers in the table are message ids: see chatd/cluster/core. Rules N-03 and N-04.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from chatd.store.base import Done, Message, MessageId, StoreError
from chatd.store.config import LATEST_COMMIT_MS, StoreConfig
from chatd.store.positions import WHOLE, Position

from . import faults, lock
from .connecting import SPARE_S
from .deadline import ServerClock, late
from .library import read_message
from .schema import NODE_OF_ID, node_of
from .store import INSERT, PostgresStore, columns

if TYPE_CHECKING:
    from asyncpg import Connection

# ruff: noqa: S608 - only constants are inserted

_COLUMNS: Final = "id, de, para, mensaje, fecha, supervisado, cid"

# Steps from one node number to the next, because there are only as many as nodes.
_NUMBERS: Final = f"""
    WITH RECURSIVE walk (nodo) AS (
        (SELECT min({NODE_OF_ID}) FROM mensajes)
        UNION ALL SELECT (SELECT min({NODE_OF_ID}) FROM mensajes WHERE {NODE_OF_ID} > walk.nodo)
        FROM walk WHERE walk.nodo IS NOT NULL
    )
"""

_HEADS: Final = f"""
    {_NUMBERS} SELECT nodo, (SELECT max(id) FROM mensajes WHERE {NODE_OF_ID} = walk.nodo)
    FROM walk WHERE nodo IS NOT NULL
"""

_TABLE: Final = "SELECT nodo, primero, epoca, reservado FROM nodos"

_REGISTER: Final = """
    INSERT INTO nodos (nodo, primero, epoca, reservado) VALUES ($1, $2, $2, $3)
    ON CONFLICT (nodo) DO UPDATE SET epoca = excluded.epoca, reservado = excluded.reservado
"""

# One statement: messages are refused if the answer comes too late, and it waits for its turn behind them.
_RESERVE: Final = """
    WITH moved AS (UPDATE nodos SET reservado = $3 WHERE nodo = $1 AND epoca = $2 AND reservado < $3)
    SELECT nodo, primero FROM nodos
"""

_OF_ONE: Final = f"""
    SELECT {_COLUMNS} FROM mensajes WHERE {NODE_OF_ID} = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4
"""

_OF_ALL: Final = f"""
    {_NUMBERS} SELECT found.* FROM walk
    LEFT JOIN unnest($1::bigint[], $2::bigint[]) AS known (nodo, upto) ON known.nodo = walk.nodo
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM mensajes WHERE {NODE_OF_ID} = walk.nodo AND id > coalesce(known.upto, -1)
        ORDER BY id LIMIT $3
    ) AS found
    WHERE walk.nodo IS NOT NULL ORDER BY found.id LIMIT $3
"""

OVERLAP: Final = 60_000 << 22
"""A minute, in ids. Clocks and commits of nodes may differ by that much."""


class Known(NamedTuple):
    """The state of all nodes in the database, by node number: where its ids begin (`first`) and end (`heads`)."""

    first: dict[int, int]
    heads: dict[int, int]
    greatest: int
    reserved: int


_INSERT_BEFORE: Final = f"{INSERT} WHERE extract(epoch FROM clock_timestamp()) * 1000 < $8::bigint RETURNING 1"

Settled = Callable[[MessageId, StoreError | None], None]


class NodeStore(PostgresStore):
    """A store that several nodes share. `on_settled` is called for each message that was put, after its `done`."""

    _overlap = OVERLAP

    def __init__(self, config: StoreConfig, node: int, age_ms: Callable[[MessageId], int]) -> None:
        """`age_ms` returns the age of an id in milliseconds; negative if the id is ahead of the clock."""
        super().__init__(config)
        self._age_ms = age_ms
        self._latest_start_ms = LATEST_COMMIT_MS - round(1000 * (config.db_timeout_s + SPARE_S))
        self._server_clock = ServerClock()
        self._node = self.number = node
        self._epoch: int | None = None
        self.unsettled = 0  # messages that were put and have no answer yet
        self.on_settled: Settled | None = None
        self.usurped = False

    @property
    def is_up(self) -> bool:
        """Whether the writing session has its lock: then all commits of earlier sessions have ended."""
        return self._link.is_up

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        """See Store.put."""
        super().put(message, functools.partial(self._answer, message.id, done), patient=patient)
        self.unsettled += 1

    async def look(self) -> Known:
        """Read the state of all nodes; call it after `open`. Raises StoreError."""
        table = await self._write(_TABLE)
        heads: dict[int, int] = dict(await self._write(_HEADS))
        first = {nodo: primero for nodo, primero, _, _ in table}
        for nodo, start in first.items():
            heads.setdefault(nodo, start)
        reserved = {nodo: reservado for nodo, _, _, reservado in table}
        return Known(first, heads, max(heads.values(), default=0), reserved.get(self.number, 0))

    async def register(self, epoch: int, reserved: int) -> None:
        """Record the start of this process: its ids begin at `epoch`. Raises StoreError."""
        await self._write(_REGISTER, self.number, epoch, reserved)
        self._epoch = epoch

    async def reserve(self, upto: int) -> dict[int, int]:
        """Reserve ids up to `upto`. Returns where the ids of each node begin. Raises StoreError."""
        return dict(await self._write(_RESERVE, self.number, self._epoch, upto))

    async def has_place(self) -> bool:
        """Whether no other process has used this node number since `register`. Raises StoreError."""
        try:
            rows = await self._readers.fetch("SELECT epoca FROM nodos WHERE nodo = $1", self.number)
        except faults.ERRORS as error:
            raise faults.lookup_error(error) from faults.cause(error)
        return [epoch for (epoch,) in rows] == [self._epoch]

    async def read(self, node: int, after: int, upto: int, limit: int) -> list[Message]:
        """Messages of `node` with ids in (`after`, `upto`], in order. Raises StoreError."""
        return await self._messages(_OF_ONE, node, after, upto, limit)

    async def poll(self, after: Mapping[int, int], limit: int) -> list[Message]:
        """Messages of each node after its id in `after`; all messages of nodes without an entry. Raises StoreError."""
        return await self._messages(_OF_ALL, list(after), list(after.values()), limit)

    def log_of(self, message: MessageId) -> int:
        """See Store.log_of: each node has its own log."""
        return node_of(message)

    async def log_from(self, begin: Position | None) -> Position:
        """See Store.log_from. The position of a single daemon is used for every node."""
        if begin is not None and WHOLE not in begin:
            return begin
        heads: Position = dict(await self._write(_HEADS))
        return heads if begin is None else dict.fromkeys(heads, begin[WHOLE])

    async def log_after(self, position: Position, limit: int) -> list[Message]:
        """See Store.log_after."""
        return await self.poll(position, limit)

    @contextlib.asynccontextmanager
    async def hook_turn(self, key: int) -> AsyncIterator[bool]:
        """See Store.hook_turn: an advisory lock of the writing session, as for sweep_turn."""
        [(taken,)] = await self._write(lock.TAKE_HOOK, lock.of_hook(key))
        try:
            yield taken
        finally:
            if taken:
                with contextlib.suppress(StoreError):
                    await self._write(lock.LEAVE_HOOK, lock.of_hook(key))

    def _answer(self, message_id: MessageId, done: Done, error: StoreError | None) -> None:
        self.unsettled -= 1
        try:
            done(error)
        finally:
            if self.on_settled is not None:
                self.on_settled(message_id, error)

    async def _messages(self, sql: str, *values: object) -> list[Message]:
        try:
            return [read_message(row) for row in await self._readers.fetch(sql, *values)]
        except faults.ERRORS as error:
            raise faults.lookup_error(error) from faults.cause(error)

    async def _send(self, batch: Sequence[Message]) -> None:
        """Refuse messages that are too old: see deadline.py. The server checks its clock after it has all locks."""
        left_ms = self._latest_start_ms - self._age_ms(batch[0].id)
        if left_ms <= 0:
            raise late() from TimeoutError("it waited too long for its turn")
        rows = await self._link.fetch(_INSERT_BEFORE, *columns(batch), self._server_clock.in_ms(left_ms))
        if not rows:
            self._link.renew("its clock says that a message was too late")  # reconnecting reads its clock again
            raise late() from TimeoutError("it waited too long for the server")

    async def _check_place(self, connection: Connection) -> None:
        """Raises ForeignError if another process has used this number: it may have stored messages with greater ids."""
        await self._server_clock.read(connection)
        if self._epoch is not None:
            epoch = await connection.fetchval("SELECT epoca FROM nodos WHERE nodo = $1", self.number)
            if epoch != self._epoch:
                self.usurped = True
                raise faults.ForeignError(f"another process has had the number {self.number} meanwhile")
