"""A failing network: a TCP proxy in front of a server that cuts each client's connection and blocks the client.

A client identifies itself by `subscriber=<number>` in its URL. While it is blocked, its connections are accepted and
held, as on a phone that loses packets; when it is unblocked, the open one is forwarded to the server at once. So the
time from then to the client's `connect` contains no delay of the client's own.

A cut may be unnoticed: the client's connection is closed, but the server's side stays open until the server closes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from bench.ports import free_port

SPREAD: Final = 0.5  # both times are uniform within this share of their mean
CHUNK: Final = 65_536
_WHO: Final = re.compile(rb"[?&]subscriber=(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The parameters of the network. `unnoticed` is the share of the cuts that the server is not told of."""

    cut_every_s: float = 15.0
    away_s: float = 2.0
    unnoticed: float = 0.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outage:
    """When a client was cut off, and when it was unblocked: milliseconds of the monotonic clock."""

    cut_ms: float
    open_ms: float


@dataclass(frozen=True, slots=True)
class Trace:
    """The history of one client: its finished outages, and when a connection of its own reached the server."""

    outages: list[Outage] = field(default_factory=list)
    reached_ms: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection of a client; `far` is set once it is forwarded to the server."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    forgotten: bool = False  # cut unnoticed: the server's side stays open until the server closes it

    def cut(self, *, unnoticed: bool) -> None:
        self.forgotten = unnoticed
        self.near.transport.abort()
        self.end_far()

    def end_far(self) -> None:
        if self.far is not None and not self.forgotten:
            self.far.transport.abort()


@dataclass(slots=True)
class _Way:
    """One client's connections to the server."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[_Connection] = field(default_factory=set)
    trace: Trace = field(default_factory=Trace)


def now_ms() -> float:
    """The clock of Node's `process.hrtime`."""
    return time.monotonic_ns() / 1e6


class Network:
    """The connections of all clients to the server at `target`, a port of this machine."""

    def __init__(self, target: int, clients: int) -> None:
        self.port = free_port()
        self.target = target
        self._ways = [_Way() for _ in range(clients)]
        for way in self._ways:
            way.open.set()

    @property
    def traces(self) -> list[Trace]:
        """The traces of all clients, by number."""
        return [way.trace for way in self._ways]

    async def storm(self, weather: Weather, seconds: float) -> None:
        """Cut and unblock clients for `seconds`; at the end unblock all."""
        chance = random.Random(weather.seed)
        seeds = [chance.random() for _ in self._ways]
        end = asyncio.get_running_loop().time() + seconds
        storms = zip(self._ways, seeds, strict=True)
        await asyncio.gather(*(self._one(way, weather, random.Random(seed), end) for way, seed in storms))

    async def _one(self, way: _Way, weather: Weather, chance: random.Random, end: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + chance.uniform(0, weather.cut_every_s)  # spreads the first cuts
        while due < end:
            await asyncio.sleep(due - loop.time())
            cut_ms = self._cut(way, unnoticed=chance.random() < weather.unnoticed)
            await asyncio.sleep(_about(weather.away_s, chance))
            way.trace.outages.append(Outage(cut_ms, now_ms()))
            way.open.set()
            due = loop.time() + _about(weather.cut_every_s, chance)

    def _cut(self, way: _Way, *, unnoticed: bool) -> float:
        way.open.clear()
        for connection in way.connections:
            if not connection.forgotten:
                connection.cut(unnoticed=unnoticed)
        return now_ms()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first_line = await reader.readuntil(b"\r\n")
            found = _WHO.search(first_line)
            assert found is not None, first_line
            way = self._ways[int(found[1])]
            connection = _Connection(writer)
            way.connections.add(connection)
            try:
                await self._held_then_through(way, connection, first_line, reader)
            finally:
                connection.forgotten = False
                connection.end_far()
                way.connections.discard(connection)
        writer.transport.abort()

    async def _held_then_through(
        self, way: _Way, connection: _Connection, first_line: bytes, near: asyncio.StreamReader
    ) -> None:
        await way.open.wait()
        far, connection.far = await asyncio.open_connection("127.0.0.1", self.target)
        if connection.near.transport.is_closing():  # cut during the connect to the server
            return
        way.trace.reached_ms.append(now_ms())
        connection.far.write(first_line)
        from_client = _pump(near, connection.far, connection.end_far)
        to_client = _pump(far, connection.near, connection.near.transport.abort)
        await asyncio.gather(from_client, to_client, return_exceptions=True)

    def close(self) -> None:
        """Close every connection, also the held ones."""
        for way in self._ways:
            for connection in way.connections:
                connection.forgotten = False
                connection.cut(unnoticed=False)
            way.open.set()


def _about(mean: float, chance: random.Random) -> float:
    return mean * chance.uniform(1 - SPREAD, 1 + SPREAD)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at_the_end: Callable[[], None]) -> None:
    """Forward received data; drop it if the other side is closed."""
    try:
        while data := await reader.read(CHUNK):
            if not writer.transport.is_closing():
                writer.write(data)
                await writer.drain()
    finally:
        at_the_end()


@contextlib.asynccontextmanager
async def network(target: int, clients: int) -> AsyncIterator[Network]:
    """A network for the time of a block; it listens on a free port."""
    between = Network(target, clients)
    running: set[asyncio.Task[None]] = set()

    def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(between.serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    listener = await asyncio.start_server(on_connection, "127.0.0.1", between.port, backlog=4096)
    try:
        yield between
    finally:
        listener.close()
        between.close()
        if running:
            await asyncio.wait(running)
