"""The core and the bus together, on a real Redis with outages: messages of an outage are read from rows.

The rows are a dict here: the behaviour of the database is tested by the simulation.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final
from unittest import mock

import pytest

from chatd.cluster.core.frame import Codec
from chatd.cluster.core.heal import Read
from chatd.cluster.core.node import Act, Node, Poll
from chatd.cluster.core.replay import Delivery
from chatd.cluster.core.vector import MS_SHIFT, SEQUENCE_BITS, origin_of
from chatd.cluster.redis import link
from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.bus import RedisBus
from tests.cluster.core.said import Said
from tests.cluster.redis.server import RedisServer

NUMBERS: Final = (1, 2, 3)
SOON_S: Final = 20.0  # for a busy machine


class Shell:
    """A node without clients."""

    def __init__(self, number: int, address: RedisAddress, rows: dict[int, Said]) -> None:
        self.number = number
        self.delivered: list[int] = []
        self.bus = RedisBus(address, "chatd", self)
        self.node: Node[Said] = Node(number, number << SEQUENCE_BITS, {}, {}, time.monotonic())
        self._rows = rows
        self._codec = Codec(Said, 1_000_000)
        self._frames: list[bytes] = []
        self._last = 0
        self._timer: asyncio.TimerHandle | None = None
        self.ticked = asyncio.Event()

    def start(self) -> None:
        self.bus.start()
        self._tick()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self.bus.close()

    def say(self) -> None:
        said = Said(self._next())
        self._rows[said.id] = said
        self.node.settle(said.id)
        self._deliver([self.node.say(said, 10)])
        self.bus.wake()

    def _next(self) -> int:
        now = int(time.monotonic() * 1000) << MS_SHIFT | self.number << SEQUENCE_BITS
        self._last = max(now, self._last + 1)
        return self._last

    def _deliver(self, deliveries: list[Delivery[Said]]) -> None:
        self.delivered += [delivery.item.id for delivery in deliveries]

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(0.05, self._tick)
        self.ticked.set()
        for decision in self.node.tick(time.monotonic()):
            match decision:
                case Act.BEAT:
                    self._frames.append(self._codec.encode(self.node.beat(self._next(), time.monotonic())))
                    self.bus.wake()
                case Act.RECONNECT:
                    self.bus.reconnect()
                case Read(origin, after, upto):
                    rows = [row for row in self._sorted() if origin_of(row.id) == origin and after < row.id <= upto]
                    self._deliver(self.node.on_rows(decision, rows, upto))
                case Poll(after=after):
                    new = [row for row in self._sorted() if row.id > after.get(origin_of(row.id), 0)]
                    self._deliver(self.node.on_polled(new, whole=True))

    def _sorted(self) -> list[Said]:
        return [self._rows[one] for one in sorted(self._rows)]

    # BusHandler

    def on_up(self) -> None:
        self._frames.append(self._codec.encode(self.node.bus_came_up(time.monotonic())))
        self.bus.wake()

    def on_down(self) -> None:
        self.node.bus_went_down()

    def on_message(self, data: bytes) -> None:
        self._deliver(self.node.on_frame(self._codec.decode(data), len(data), time.monotonic()))

    def frames(self) -> Iterator[bytes]:
        waiting, self._frames = self._frames, []
        yield from waiting
        while (news := self.node.flush(time.monotonic())) is not None:
            yield self._codec.encode(news)


@contextlib.asynccontextmanager
async def cluster(server: RedisServer) -> AsyncIterator[list[Shell]]:
    rows: dict[int, Said] = {}
    shells = [Shell(number, server.address(), rows) for number in NUMBERS]
    try:
        for shell in shells:
            shell.start()
        await until_ready(shells)
        yield shells
    finally:
        for shell in shells:
            await shell.close()


async def until(shells: list[Shell], condition: Callable[[Shell], bool]) -> None:
    """Wait; the condition is checked after each tick of a shell."""
    async with asyncio.timeout(SOON_S):
        for shell in shells:
            while not condition(shell):
                shell.ticked.clear()
                await shell.ticked.wait()


async def until_ready(shells: list[Shell]) -> None:
    await until(shells, lambda shell: shell.node.is_ready and len(shell.node.living) == len(NUMBERS) - 1)


async def until_all_have(shells: list[Shell], count: int) -> None:
    await until(shells, lambda shell: len(shell.delivered) >= count)


async def talk(shells: list[Shell], turns: int) -> None:
    for _ in range(turns):
        for shell in shells:
            shell.say()
            shell.say()
        await asyncio.sleep(0.002)


def check(shells: list[Shell], count: int) -> None:
    """Each shell has each message once, and those of each origin in order."""
    for shell in shells:
        assert len(shell.delivered) == len(set(shell.delivered)) == count
        for number in NUMBERS:
            own = [one for one in shell.delivered if origin_of(one) == number]
            assert own == sorted(own)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as one, mock.patch.object(link, "CHECK_S", 0.1):
        one.start()
        yield one


async def test_all_nodes_deliver_all_messages(server: RedisServer) -> None:
    async with cluster(server) as shells:
        await talk(shells, 50)
        await until_all_have(shells, 300)
        check(shells, 300)


async def test_during_an_outage_of_redis_messages_are_late_and_none_is_lost(server: RedisServer) -> None:
    async with cluster(server) as shells:
        await talk(shells, 20)
        server.kill()
        await talk(shells, 20)
        await until_all_have(shells, 240)
        server.start()
        await talk(shells, 20)
        await until_ready(shells)
        await until_all_have(shells, 360)
        check(shells, 360)


async def test_the_gap_of_a_short_outage_of_redis_is_healed(server: RedisServer) -> None:
    async with cluster(server) as shells:
        for _ in range(3):
            await talk(shells, 5)
            server.kill()
            await talk(shells, 5)
            server.start()
            await talk(shells, 5)
        await until_ready(shells)
        await until_all_have(shells, 270)
        check(shells, 270)


async def test_messages_are_delivered_while_redis_is_suspended(server: RedisServer) -> None:
    async with cluster(server) as shells:
        with server.standing_still():
            await talk(shells, 20)
            await until_all_have(shells, 120)
        await until_ready(shells)
        await talk(shells, 20)
        await until_all_have(shells, 240)
        check(shells, 240)
