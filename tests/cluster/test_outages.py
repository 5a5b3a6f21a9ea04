"""Three nodes behind HAProxy, real clients of every transport, and one thing after the other fails while they write.

Nothing may be lost, doubled or out of order, whatever fails. The longest waits are printed; what Redis does must not be
seen by recipients on the sender's node. `make outages` has longer outages, and both kinds of delivery.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from bench.cluster.link import Link, link
from bench.cluster.people import Clients, clients
from bench.cluster.verdict import Verdict, judge
from bench.outages import now_ms
from bench.ports import free_port
from tests.cluster.crowd import ACK_TIMEOUT_MS, CLIENT, FLAGS, NODES, QUIET_S, people
from tests.cluster.front import front
from tests.cluster.nodes import Cluster, cluster
from tests.conftest import number_of
from tests.interop.conftest import HERE
from tests.interop.node import node_executable
from tests.postgresql import server

SHORTEST_S: Final = 3.0  # of the outages of Redis, but for one
USUAL_S: Final = 0.5
"""Half of the local deliveries take less while Redis is away. If a node waited for Redis, half of them would take more
than half of the outage. The longest wait says more of a busy machine: the outage itself is its bound."""


@dataclass
class Stage:
    """Everything that may fail."""

    nodes: Cluster
    link: Link  # of node 3 to Redis
    redis_away_s: float

    async def redis(self, seconds: float) -> None:
        await asyncio.to_thread(self.nodes.redis.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.nodes.redis.start)

    async def redis_blinks(self) -> None:
        await self.redis(0.1)

    async def redis_is_away(self) -> None:
        await self.redis(self.redis_away_s)

    async def link_is_held(self) -> None:
        self.link.hold()
        await asyncio.sleep(4.0)
        self.link.restore()

    async def link_is_cut(self) -> None:
        self.link.cut()
        await asyncio.sleep(SHORTEST_S)
        self.link.restore()

    async def database_restarts(self) -> None:
        await asyncio.to_thread(self.nodes.postgresql.stop)
        await asyncio.to_thread(self.nodes.postgresql.start)

    async def node_stands_still(self) -> None:
        self.nodes.nodes[2].send(signal.SIGSTOP)
        await asyncio.sleep(6.0)
        self.nodes.nodes[2].send(signal.SIGCONT)

    async def node_is_killed(self) -> None:
        await asyncio.to_thread(self.nodes.nodes[1].stop, signal.SIGKILL)
        await asyncio.to_thread(self.nodes.nodes[1].start)


Fault = Callable[[Stage], Awaitable[None]]

OF_REDIS: Final[Mapping[str, Fault]] = {
    "Redis away for 0.1 s": Stage.redis_blinks,
    "Redis away": Stage.redis_is_away,
    "link of node 3 to Redis: black hole for 4 s": Stage.link_is_held,
    "link of node 3 to Redis: reset for 3 s": Stage.link_is_cut,
}
OTHERS: Final[Mapping[str, Fault]] = {
    "PostgreSQL restarted": Stage.database_restarts,
    "node 2 stopped for 6 s": Stage.node_stands_still,
    "node 1 killed and started": Stage.node_is_killed,
}


@asynccontextmanager
async def stage(folder: Path, deliver: str, redis_away_s: float) -> AsyncIterator[Stage]:
    redis = free_port()
    with (
        server() as postgresql,
        cluster(folder, postgresql, nodes=0, redis=("--port", str(redis))) as several,
    ):
        async with link(redis) as between:
            for node in NODES:
                bus = ("--bus", between.url) if node == NODES[-1] else ()
                await asyncio.to_thread(several.start, node, "--deliver", deliver, *FLAGS, *bus)
            yield Stage(several, between, redis_away_s)


async def _play(fault: Fault, on: Stage, crowd: Clients) -> tuple[float, float]:
    """From when to when it was felt; the next fault is not before everybody has what was written in that time."""
    since = now_ms()
    await fault(on)
    await crowd.caught_up(QUIET_S)
    until = now_ms()
    await crowd.caught_up(QUIET_S)
    return since, until


def _words(fault: str, verdict: Verdict) -> str:
    local = f"{verdict.local_ms:5.0f} ms local (median {verdict.local_median_ms:4.0f})"
    waits = f"longest wait {local}, {verdict.remote_ms:5.0f} ms remote"
    returns = f"{verdict.recovered} of {verdict.returns} returns recovered"
    return f"{fault:45}: {verdict.messages:4} messages, {verdict.due:5} deliveries, {waits}; {returns}"


@pytest.mark.timeout(240)
async def test_whatever_fails_nothing_is_lost_or_doubled(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """N-05, N-06, N-07, N-10"""
    deliver = str(request.config.getoption("outages_deliver"))
    crew = people()
    async with (
        stage(tmp_path, deliver, number_of(request, "outage_seconds")) as on,
        front(tmp_path, {node: on.nodes.nodes[node].port for node in NODES}) as url,
        clients(Path(node_executable()), HERE, CLIENT) as crowd,
    ):
        homes = await crowd.open(url, crew, ACK_TIMEOUT_MS)
        assert set(homes) == set(NODES)
        await crowd.start()
        spans = {name: await _play(fault, on, crowd) for name, fault in {**OF_REDIS, **OTHERS}.items()}
        await crowd.stop()
        await crowd.caught_up(QUIET_S)
        record = await crowd.record()
        assert sorted(on.nodes.stored()) == sorted(each.text for each in record.sent)
        assert await crowd.nodes() != homes  # those of the killed node are elsewhere
    verdicts = {name: judge(crew, record, *span) for name, span in spans.items()}
    print(*(_words(*each) for each in verdicts.items()), sep="\n")
    whole = judge(crew, record, 0, now_ms())
    assert record.refused == []
    assert whole.perfect, whole
    if deliver == "stored":  # with "at_once" a message may be seen, and refused, and sent again
        assert whole.anew == 0
    assert whole.recovered == whole.returns > 0
    for name in OF_REDIS:
        assert verdicts[name].local_median_ms < 1000 * USUAL_S, name
        assert verdicts[name].local_ms < 1000 * SHORTEST_S, name
