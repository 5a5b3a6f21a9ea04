"""`GET /v1/eventos`: the log of messages as server-sent events, from any position. Rules A-20 to A-22, A-25, A-26.

https://html.spec.whatwg.org/multipage/server-sent-events.html

A stream reads the log page by page, as fast as its client takes it, and then waits for the next message. So it needs no
queue: a client that does not read keeps a page in memory, however many messages come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from chatd.api.call import Call
from chatd.api.door import WAIT_MS, ApiDoor, ApiLimit
from chatd.api.eventstream import EventStream, Lost, StalledError
from chatd.api.keys import Key, Scope
from chatd.api.problem import ApiCode
from chatd.base.errors import RefusedError
from chatd.base.tasks import Tasks
from chatd.chat.events import EventCode
from chatd.chat.messages.feed import Feed
from chatd.store import positions
from chatd.store.base import Message, Store, StoreError
from chatd.store.positions import Position

PAGE_ROWS: Final = 20
"""Messages in a page: a client that does not read keeps one page in memory."""

POLL_S: Final = 1.0
"""With several nodes, a message of another node may be announced before it is stored."""

RETRY_S: Final = 1.0
"""After a fault of the database."""

_HEADERS: Final = [(b"Content-Type", b"text/event-stream"), (b"Cache-Control", b"no-store")]


class LoggedMessage(msgspec.Struct, frozen=True):
    """The data of an event `mensaje`."""

    id: str
    de: str
    para: str
    mensaje: str
    fecha: int
    supervisado: bool


class StreamLimits(NamedTuple):
    """Maximal open streams, in total and per key; heartbeat interval, and timeout of a client that does not read."""

    max_streams: int
    max_per_key: int
    heartbeat_s: float
    patience_s: float


class Streams:
    """All open streams. `on_lost` is called when the connection of one has ended."""

    def __init__(
        self,
        feed: Feed,
        store: Store,
        door: ApiDoor,
        limits: StreamLimits,
        on_lost: Lost,
    ) -> None:
        self._feed = feed
        self._store = store
        self._door = door
        self._limits = limits
        self._on_lost = on_lost
        self._tasks = Tasks()
        self._key_of: dict[asyncio.Task[None], str] = {}  # the name of the key of each

    def __len__(self) -> int:
        return len(self._tasks)

    def open(self, call: Call) -> None:
        """`GET /v1/eventos`. Raises RefusedError."""
        if call.key is None:
            raise AssertionError("a stream needs a key")
        begin = _begin(call)
        if call.is_head:
            call.empty(_HEADERS)
            return
        self._check_count(call.key)
        stream = EventStream(self._limits.patience_s, self._on_lost)
        stream.task = task = self._tasks.start(self._run(stream, call.key, begin), "stream of events")
        self._key_of[task] = call.key.name
        task.add_done_callback(self._key_of.pop)
        call.stream(stream, _HEADERS, b": chatd\n\n")

    def _check_count(self, key: Key) -> None:
        """Raises RefusedError."""
        if len(self._tasks) >= self._limits.max_streams:
            self._door.refusals.add(ApiLimit.API_MAX_STREAMS, "stream refused: too many are open", key=key.name)
            raise RefusedError(ApiCode.TOO_MANY_STREAMS, f"{self._limits.max_streams} streams are open already.")
        if 0 < self._limits.max_per_key <= list(self._key_of.values()).count(key.name):
            why = "stream refused: its key has too many open"
            self._door.refusals.add(ApiLimit.API_MAX_STREAMS_PER_KEY, why, key=key.name)
            words = f"This key has {self._limits.max_per_key} streams open already."
            raise RefusedError(ApiCode.TOO_MANY_STREAMS_OF_KEY, words, retry_after_ms=WAIT_MS)

    async def _run(self, stream: EventStream, key: Key, begin: Position | None) -> None:
        try:
            await self._follow(stream, key, begin)
        except StalledError:
            why = "stream ended: its reader takes nothing"
            self._door.refusals.add(ApiLimit.API_STREAM_TIMEOUT, why, key=key.name)
            stream.abort()

    async def _follow(self, stream: EventStream, key: Key, begin: Position | None) -> None:
        """Raises StalledError."""
        wake = asyncio.Event()

        def tell(_message: Message) -> None:
            wake.set()

        self._feed.listeners.append(tell)
        try:
            position = await self._start(begin)
            while self._door.holds(key):
                wake.clear()
                if not await self._send_page(stream, key, position):
                    await self._pause(stream, wake, position)
            stream.close()
        finally:
            self._feed.listeners.remove(tell)

    async def _start(self, begin: Position | None) -> Position:
        while True:
            try:
                return await self._store.log_from(begin)
            except StoreError:
                await asyncio.sleep(RETRY_S)

    async def _send_page(self, stream: EventStream, key: Key, position: Position) -> bool:
        """Whether there may be more."""
        try:
            await self._store.flushed()  # delivered messages are in the log then
            messages = await self._store.log_after(position, PAGE_ROWS)
        except StoreError:
            await asyncio.sleep(RETRY_S)
            return False
        is_full, page = len(messages) == PAGE_ROWS, self._page(key, messages, position)
        del messages  # free the memory: the client may read slowly
        if page:  # in one write: asyncio logs a warning for each one after a reset
            await stream.write(page)
        return is_full

    def _page(self, key: Key, messages: Sequence[Message], position: Position) -> bytes:
        """The events of the messages that the key may read. Moves the position past all messages."""
        events = []
        for message in messages:
            position[self._store.log_of(message.id)] = message.id
            if _may_read(key, message):
                events.append(_event(message, position))
        return b"".join(events)

    async def _pause(self, stream: EventStream, wake: asyncio.Event, position: Position) -> None:
        """Wait for the next message. Heartbeats move the position past messages that the key may not read."""
        pause_s = self._limits.heartbeat_s if positions.WHOLE in position else min(POLL_S, self._limits.heartbeat_s)
        try:
            async with asyncio.timeout(pause_s):
                await wake.wait()
        except TimeoutError:
            await stream.write(f"id: {positions.encode(position)}\n\n".encode())


def _begin(call: Call) -> Position | None:
    """The position where the client continues; None: from now on. Raises RefusedError."""
    said = call.last_event_id or call.query.desde
    if not said:
        return None
    position = positions.decode(said)
    if position is None:
        raise RefusedError(EventCode.DESPUES_INVALID, "This is no position: send the id of the last event.")
    return position


def _may_read(key: Key, message: Message) -> bool:
    return message.supervisado or Scope.IMPERSONATE in key.scopes or key.name in (message.de, message.para)


def _event(message: Message, position: Position) -> bytes:
    said = LoggedMessage(str(message.id), message.de, message.para, message.mensaje, message.fecha, message.supervisado)
    return b"event: mensaje\nid: %b\ndata: %b\n\n" % (positions.encode(position).encode(), msgspec.json.encode(said))
