"""The same faults under the same load on two nodes of each server: lost and duplicated messages, and latencies.

Ten admins and four users on WebSocket, spread over both nodes by HAProxy; each user sends a message every 50 ms, and
resends it until it is acknowledged. Each fault has fresh nodes. After it, users send for two more seconds; a delivery
counts as lost if no delivery has arrived for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine
from bench.cluster.faults import Fault, Stage
from bench.cluster.link import link
from bench.cluster.people import Person, Writes, clients
from bench.cluster.sites import Setup, Site, site
from bench.cluster.verdict import Verdict, judge
from bench.outages import now_ms
from bench.ports import free_port
from bench.rig import admin_name, user_name
from bench.tokens import mint
from tests.cluster.front import front
from tests.cluster.redis.server import RedisServer

NODES: Final = (1, 2)
ADMINS: Final = 10
WRITERS: Final = 4
EVERY_MS: Final = 50
ACK_TIMEOUT_MS: Final = 10_000  # longer than any node is stopped: a server without `cid` would store duplicates
CALM_S: Final = 1.0  # before the fault
AFTER_S: Final = 2.0
QUIET_S: Final = 8.0
PING_S: Final = 25.0
KEEPS: Final = ("--appendonly", "yes")  # Redis keeps its data over a restart: the adapter of streams needs it


@dataclass(frozen=True, slots=True)
class Client:
    """The package of socket.io-client and the program that runs it."""

    node: Path
    folder: Path
    package: str = "socket.io-client"


def _people() -> list[Person]:
    options = {"transports": ["websocket"]}
    admins = [Person(admin_name(i), "admin", mint(admin_name(i), "admin"), options) for i in range(ADMINS)]
    writes = Writes(admin_name(0), EVERY_MS)
    return admins + [Person(user_name(i), "user", mint(user_name(i), "user"), options, writes) for i in range(WRITERS)]


@contextlib.asynccontextmanager
async def _stage(name: str, folder: Path) -> AsyncIterator[tuple[Site, Stage]]:
    port = free_port()
    with RedisServer(folder, "--port", str(port), *KEEPS) as redis:
        redis.start()
        async with link(port) as line:
            buses = {number: line.url if number == NODES[-1] else f"redis://127.0.0.1:{port}" for number in NODES}
            core = machine.cores().server
            setup = Setup(folder=folder, core=core, redis=redis, buses=buses, ping_s=PING_S, recovery=True)
            starting = contextlib.ExitStack()
            try:
                running = await asyncio.to_thread(starting.enter_context, site(name, setup))
                yield running, Stage(running.nodes, redis, line, running.postgresql)
            finally:
                await asyncio.to_thread(starting.close)


async def play(name: str, fault: Fault, client: Client) -> Verdict:
    """One row: two nodes of the server `name` from their start to their end."""
    people = _people()
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as place:
        folder = Path(place)
        async with (
            _stage(name, folder) as (running, stage),
            front(folder, running.ports) as url,
            clients(client.node, client.folder, client.package) as crowd,
        ):
            await crowd.open(url, people, ACK_TIMEOUT_MS)
            await crowd.start()
            await asyncio.sleep(CALM_S)
            await fault.play(stage)
            await asyncio.sleep(AFTER_S)
            await crowd.stop()
            await crowd.caught_up(QUIET_S)
            return judge(people, await crowd.record(), 0, now_ms())
