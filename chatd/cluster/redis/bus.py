"""The bus of a node: one channel of Redis. Everything published in one turn of the event loop is sent together.

While the bus is down, frames are dropped and counted; their receivers detect the gap.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable
from typing import Protocol

from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.client import RedisClient
from chatd.cluster.redis.wire import Subscription


class BusHandler(Protocol):
    """Calls are synchronous, come from the event loop's thread and must not raise. For on_up and on_down see
    ClientHandler.
    """

    def on_up(self) -> None: ...

    def on_down(self) -> None: ...

    def on_message(self, data: bytes) -> None: ...

    def frames(self) -> Iterable[bytes]:
        """The frames to publish at the end of a turn, after `wake`. They are lost if the bus is down."""


@dataclasses.dataclass(slots=True)
class BusCounters:
    """Counters; they only grow."""

    published: int = 0
    dropped: int = 0  # frames that were not published, because the bus was down
    overflowed: int = 0  # frames that were not published, because Redis read too slowly
    received: int = 0
    connects: int = 0  # connections that became subscribed

    @property
    def unpublished(self) -> int:
        return self.dropped + self.overflowed


class RedisBus:
    """Connects and reconnects until it is closed."""

    def __init__(self, address: RedisAddress, channel: str, handler: BusHandler) -> None:
        self.counters = BusCounters()
        self.client = RedisClient("bus", address, Subscription((channel,)), self)
        self._channel = channel
        self._handler = handler
        self._awake = False

    @property
    def fault(self) -> str | None:
        """Why it is down; None while it is up."""
        return self.client.fault

    def start(self) -> None:
        """See RedisClient.start."""
        self.client.start()

    async def close(self) -> None:
        """See RedisClient.close."""
        await self.client.close()

    def reconnect(self) -> None:
        """Reconnect, because messages of this node do not come back although the connection looks healthy."""
        self.client.drop("own messages do not come back")

    def wake(self) -> None:
        """Call `BusHandler.frames` once, at the end of this turn of the event loop."""
        if not self._awake:
            self._awake = True
            asyncio.get_running_loop().call_soon(self._flush)

    # ClientHandler

    def on_up(self) -> None:
        self.counters.connects += 1
        self._handler.on_up()

    def on_down(self) -> None:
        self._handler.on_down()

    def on_message(self, _channel: bytes, data: bytes) -> None:
        self.counters.received += 1
        self._handler.on_message(data)

    # Internals.

    def _flush(self) -> None:
        self._awake = False
        for frame in self._handler.frames():
            if self.client.publish(self._channel, frame):
                self.counters.published += 1
            elif self.fault is None:
                self.counters.overflowed += 1
            else:
                self.counters.dropped += 1
