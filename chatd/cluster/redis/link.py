"""One connection to Redis, with its socket. Limits the data that waits to be written; closes a silent connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from chatd.cluster.redis.wire import Answer, Command, Heard, RedisError, Wire

CHECK_S: Final = 0.5
SILENT_CHECKS: Final = 4
MAX_WAITING_BYTES: Final = 4_194_304


OnAnswer = Callable[[Any], None]
"""Takes the answer of Redis, None if Redis refused; must not raise. Not called if the connection ends before."""


class LinkHandler(Protocol):
    """Calls are synchronous and must not raise."""

    def on_subscribed(self) -> None:
        """From now on, messages arrive and may be published."""

    def on_message(self, channel: bytes, data: bytes) -> None: ...


class Link(asyncio.Protocol):
    """The future `ended` gets the reason when the connection ends."""

    def __init__(self, wire: Wire, handler: LinkHandler) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._wire = wire
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._silent_checks = 0
        self._asking: deque[OnAnswer] = deque()

    @property
    def unconfirmed(self) -> int:
        """See Wire."""
        return self._wire.unconfirmed

    def publish(self, channel: str, data: bytes) -> bool:
        """Publish `data`. Returns False, and writes nothing, if not connected or if Redis reads too slowly.

        Data larger than MAX_WAITING_BYTES is written if nothing else waits.
        """
        transport = self._transport
        if transport is None or not self._wire.is_subscribed or self.ended.done():
            return False
        waiting_bytes = transport.get_write_buffer_size()
        if waiting_bytes and waiting_bytes + len(data) > MAX_WAITING_BYTES:
            return False
        transport.write(self._wire.publish(channel, data))
        return True

    def ask(self, on_answer: OnAnswer, question: Command, *arguments: str) -> None:
        """See Wire.ask. Does nothing if not connected."""
        if self._transport is not None and self._wire.is_subscribed and not self.ended.done():
            self._asking.append(on_answer)
            self._transport.write(self._wire.ask(question, *arguments))

    def end(self, why: str) -> None:
        """Close the connection at once. Idempotent; the first reason is kept."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        if not self.ended.done():
            self.ended.set_result(why)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._wire.greeting())
        self._timer = self._loop.call_later(CHECK_S, self._check)

    def data_received(self, data: bytes) -> None:
        self._silent_checks = 0
        try:
            for event in self._wire.feed(data):
                if self.ended.done():
                    return
                if isinstance(event, Heard):
                    self._handler.on_message(*event)
                elif isinstance(event, Answer):
                    self._asking.popleft()(event.value)
                else:
                    self._handler.on_subscribed()
        except RedisError as error:
            self.end(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(str(exc) if exc is not None else "closed by Redis")

    def _check(self) -> None:
        """Counts checks, not seconds: after a stall, the process has not read yet what arrived meanwhile."""
        self._silent_checks += 1
        if self._silent_checks >= SILENT_CHECKS:
            self.end("nothing came for seconds")
            return
        if self._transport is not None and not self._wire.unanswered:
            self._transport.write(self._wire.ping())
        self._timer = self._loop.call_later(CHECK_S, self._check)
