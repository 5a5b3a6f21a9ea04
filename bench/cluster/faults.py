"""Faults of nodes, of Redis, of the connection to it and of PostgreSQL: each with its repair."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.cluster.link import Link
from tests.cluster.redis.server import RedisServer
from tests.interop.processes import Server
from tests.postgresql import Server as Postgresql


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that can fail. `link` is the last node's connection to Redis; only chatd has a database."""

    nodes: Mapping[int, Server]
    redis: RedisServer
    link: Link
    postgresql: Postgresql | None


@dataclass(frozen=True, slots=True)
class Fault:
    """`play` returns when the fault is repaired. `of_redis`: nodes work, but have no Redis."""

    words: str
    play: Callable[[Stage], Awaitable[None]]
    of_redis: bool = False
    of_database: bool = False


def nothing(seconds: float) -> Fault:
    async def play(_: Stage) -> None:
        await asyncio.sleep(seconds)

    return Fault("no fault", play)


def redis_away(seconds: float) -> Fault:
    async def play(on: Stage) -> None:
        await asyncio.to_thread(on.redis.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(on.redis.start)

    return Fault(f"Redis killed, back after {seconds:g} s", play, of_redis=True)


def link_held(seconds: float) -> Fault:
    async def play(on: Stage) -> None:
        on.link.hold()
        await asyncio.sleep(seconds)
        on.link.restore()

    return Fault(f"one node's line to Redis a black hole for {seconds:g} s", play, of_redis=True)


def link_cut(seconds: float) -> Fault:
    async def play(on: Stage) -> None:
        on.link.cut()
        await asyncio.sleep(seconds)
        on.link.restore()

    return Fault(f"one node's line to Redis reset for {seconds:g} s", play, of_redis=True)


def database_restarts() -> Fault:
    async def play(on: Stage) -> None:
        assert on.postgresql is not None
        await asyncio.to_thread(on.postgresql.stop)
        await asyncio.to_thread(on.postgresql.start)

    return Fault("PostgreSQL restarted", play, of_database=True)


def stopped(node: int, seconds: float) -> Fault:
    async def play(on: Stage) -> None:
        on.nodes[node].send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        on.nodes[node].send(signal.SIGCONT)

    return Fault(f"one node stopped for {seconds:g} s", play)


def killed(node: int) -> Fault:
    async def play(on: Stage) -> None:
        await asyncio.to_thread(on.nodes[node].stop, signal.SIGKILL)
        await asyncio.to_thread(on.nodes[node].start)

    return Fault("one node killed, and started", play)


FAULTS: Final[Mapping[str, Fault]] = {
    "none": nothing(3.0),
    "redis-0.1": redis_away(0.1),
    "redis-3": redis_away(3.0),
    "redis-15": redis_away(15.0),
    "link-held": link_held(4.0),
    "link-cut": link_cut(3.0),
    "stopped": stopped(2, 6.0),
    "killed": killed(1),
    "database": database_restarts(),
}
