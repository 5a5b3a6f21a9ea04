"""The bus as a node has it: one channel of Redis; what is published in one turn of the loop leaves together.

Nothing waits for a bus that is down: what is published then is dropped and counted, and the receivers find the gap.
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
    """Calls are synchronous, come from the loop thread and must not raise. For the first two see ClientHandler."""

    def on_up(self) -> None: ...

    def on_down(self) -> None: ...

    def on_message(self, data: bytes) -> None: ...

    def frames(self) -> Iterable[bytes]:
        """What to publish in the end of a turn, after `wake`; if the bus is down, it is lost."""


@dataclasses.dataclass(slots=True)
class BusCounters:
    """Numbers only grow."""

    published: int = 0
    dropped: int = 0  # frames that could not be published, because the bus was down
    overflowed: int = 0  # the same, because Redis did not take what waited already
    received: int = 0
    connects: int = 0  # connections that were subscribed

    @property
    def unpublished(self) -> int:
        return self.dropped + self.overflowed


class RedisBus:
    """Connects, and connects again, until it is closed."""

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
        """The bus gives nothing back although it looks healthy."""
        self.client.drop("own messages do not come back")

    def wake(self) -> None:
        """There is something to publish: `frames` is asked once, in the end of this turn."""
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
