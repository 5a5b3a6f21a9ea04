"""The bus as a node has it: up or down, which it says; what is published in one turn of the loop leaves together.

Nothing waits for a bus that is down: what is published then is dropped and counted, and the receivers find the gap.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from collections.abc import Iterable
from typing import Final, Protocol

from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.link import Link
from chatd.cluster.redis.pauses import Pauses
from chatd.cluster.redis.wire import Wire
from chatd.tasks import Tasks

CONNECT_S: Final = 2.0

log = logging.getLogger("chatd.cluster")


class BusHandler(Protocol):
    """Calls are synchronous, come from the loop thread and must not raise."""

    def on_up(self) -> None:
        """Connected and subscribed: what others publish from now on comes."""

    def on_down(self) -> None:
        """The bus was up and is not: what others publish is missed."""

    def on_message(self, data: bytes) -> None: ...

    def frames(self) -> Iterable[bytes]:
        """What to publish in the end of a turn, after `wake`; if the bus is down, it is lost."""


@dataclasses.dataclass(slots=True)
class BusCounters:
    """Numbers only grow."""

    outages: int = 0
    published: int = 0
    dropped: int = 0  # frames that could not be published
    received: int = 0


class RedisBus:
    """Connects, and connects again, until it is closed."""

    def __init__(self, address: RedisAddress, channel: str, handler: BusHandler) -> None:
        self.counters = BusCounters()
        self.fault: str | None = "not connected yet"  # None while the bus is up
        self._address = address
        self._channel = channel
        self._handler = handler
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._pauses = Pauses(random.Random())  # noqa: S311
        self._awake = False

    def start(self) -> None:
        """Connect in the background: a node serves its own clients without a bus."""
        self._task = self._tasks.start(self._run(), "bus")

    async def close(self) -> None:
        """Idempotent. `on_down` is not called."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._drop("closed")

    def reconnect(self) -> None:
        """The bus gives nothing back although it looks healthy."""
        self._drop("own messages do not come back")

    def wake(self) -> None:
        """There is something to publish: `frames` is asked once, in the end of this turn."""
        if not self._awake:
            self._awake = True
            asyncio.get_running_loop().call_soon(self._flush)

    # LinkHandler

    def on_subscribed(self) -> None:
        self.fault = None
        self._pauses.reset()
        log.info("bus up", extra={"host": str(self._address)})
        self._handler.on_up()

    def on_message(self, data: bytes) -> None:
        self.counters.received += 1
        self._handler.on_message(data)

    # Internals.

    def _flush(self) -> None:
        self._awake = False
        for frame in self._handler.frames():
            if self._link is not None and self._link.publish(frame):
                self.counters.published += 1
            else:
                self.counters.dropped += 1

    def _drop(self, why: str) -> None:
        if self._link is not None:
            self._link.end(why)

    async def _run(self) -> None:
        while True:
            self._lost(await self._connection())
            await asyncio.sleep(self._pauses.next())

    def _lost(self, why: str) -> None:
        """An outage is never hidden: the handler is told of each, and each new reason is logged."""
        was_up = self.fault is None
        if why != self.fault:
            self.fault = why
            log.warning("bus down", extra={"host": str(self._address), "cause": why})
        if was_up:
            self.counters.outages += 1
            self._handler.on_down()

    async def _connection(self) -> str:
        """One connection, from its beginning to the reason for its end."""
        try:
            async with asyncio.timeout(CONNECT_S):
                self._link = await self._connect()
        except TimeoutError:
            return "no connection within seconds"
        except OSError as error:
            return error.strerror or str(error)
        try:
            return await self._link.ended
        finally:
            self._link.end("closed")
            self._link = None

    async def _connect(self) -> Link:
        loop = asyncio.get_running_loop()

        def link() -> Link:
            return Link(Wire(self._address, self._channel), self)

        if self._address.path:
            return (await loop.create_unix_connection(link, self._address.path))[1]
        return (await loop.create_connection(link, self._address.host, self._address.port))[1]
