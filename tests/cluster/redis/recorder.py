"""A handler of the bus that records its calls, and can be waited for."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from unittest import mock

from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.bus import RedisBus
from chatd.cluster.redis.pauses import Pauses

CHANNEL = "chatd"
SOON_S = 20.0  # for a busy machine


class Recorder:
    def __init__(self, address: RedisAddress, channel: str = CHANNEL) -> None:
        self.bus = RedisBus(address, channel, self)
        self.told: list[str] = []
        self.heard: list[bytes] = []
        self.asked = 0
        self._outgoing: list[bytes] = []
        self._changed = asyncio.Event()

    def publish(self, *frames: bytes) -> None:
        self._outgoing += frames
        self.bus.wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait; the condition is checked after each call of the bus."""
        async with asyncio.timeout(SOON_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_up(self, times: int = 1) -> None:
        await self.until(lambda: self.told.count("up") >= times)

    async def until_down(self, times: int = 1) -> None:
        await self.until(lambda: self.told.count("down") >= times)

    async def until_heard(self, *frames: bytes) -> None:
        await self.until(lambda: self.heard[-len(frames) :] == list(frames))

    # BusHandler

    def on_up(self) -> None:
        self.told.append("up")
        self._changed.set()

    def on_down(self) -> None:
        self.told.append("down")
        self._changed.set()

    def on_message(self, data: bytes) -> None:
        self.heard.append(data)
        self._changed.set()

    def frames(self) -> list[bytes]:
        self.asked += 1
        frames, self._outgoing = self._outgoing, []
        return frames


class Attempts(Pauses):
    """Counts failed connection attempts; the next one follows at once."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.failed = asyncio.Semaphore(0)

    def next(self) -> float:
        self.failed.release()
        return 0.001

    async def fail(self, times: int = 1) -> None:
        """Return when `times` more attempts have failed."""
        async with asyncio.timeout(SOON_S):
            for _ in range(times):
                await self.failed.acquire()


@contextlib.asynccontextmanager
async def trying(recorder: Recorder) -> AsyncIterator[Attempts]:
    """Start its bus; there need not be a server."""
    attempts = Attempts()
    with mock.patch.object(recorder.bus.client, "_pauses", attempts):
        recorder.bus.start()
        try:
            yield attempts
        finally:
            await recorder.bus.close()


@contextlib.asynccontextmanager
async def connected(*addresses: RedisAddress) -> AsyncIterator[list[Recorder]]:
    """One connected node for each address."""
    recorders = [Recorder(address) for address in addresses]
    try:
        for recorder in recorders:
            recorder.bus.start()
        for recorder in recorders:
            await recorder.until_up()
        yield recorders
    finally:
        for recorder in recorders:
            await recorder.bus.close()
