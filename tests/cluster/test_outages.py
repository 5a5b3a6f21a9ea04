"""Three nodes behind HAProxy, real clients of every transport, and one fault after the other under load.

No message may be lost, duplicated or out of order. The longest latencies are printed. During faults of Redis,
recipients on the sender's node get each message within half a second: if the machine itself takes as long without a
fault, within twice that time; a fault is repeated before it counts as a failure, because a pause of the machine is
unlikely twice. `make outages` has longer outages, and both settings of delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from bench.cluster.faults import (
    Fault,
    Stage,
    database_restarts,
    killed,
    link_cut,
    link_held,
    nothing,
    redis_away,
    stopped,
)
from bench.cluster.link import link
from bench.cluster.people import Clients, Person, clients
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

CALM: Final = nothing(3.0)
LOCAL_MS: Final = 500.0
ROUNDS: Final = 4


def _of_redis(away_s: float) -> list[Fault]:
    return [*(redis_away(seconds) for seconds in sorted({0.1, 3.0, away_s})), link_held(4.0), link_cut(3.0)]


def _others() -> list[Fault]:
    """The node of the last fault is killed at its end: afterwards its clients are on other nodes."""
    return [database_restarts(), stopped(2, 6.0), killed(1)]


@asynccontextmanager
async def stage(folder: Path, deliver: str) -> AsyncIterator[tuple[Cluster, Stage]]:
    redis = free_port()
    with (
        server() as postgresql,
        cluster(folder, postgresql, nodes=0, redis=("--port", str(redis))) as several,
    ):
        async with link(redis) as between:
            for node in NODES:
                bus = ("--bus", between.url) if node == NODES[-1] else ()
                await asyncio.to_thread(several.start, node, "--deliver", deliver, *FLAGS, *bus)
            yield several, Stage(several.nodes, several.redis, between, postgresql)


class Run:
    """The results of all faults: the messages during each, and the limit of a local delivery."""

    def __init__(self, on: Stage, crowd: Clients, crew: list[Person]) -> None:
        self.rows: list[tuple[Fault, Verdict]] = []
        self.limit_ms = LOCAL_MS
        self._on = on
        self._crowd = crowd
        self._crew = crew

    async def calm(self) -> None:
        """Measure the latency of the machine without a fault."""
        self.limit_ms = max(LOCAL_MS, 2 * (await self.play(CALM)).local_ms)

    async def play_unfelt(self, fault: Fault) -> None:
        """Play a fault of Redis. A node that waits for Redis does so in each round."""
        for _ in range(ROUNDS):
            if (await self.play(fault)).local_ms < self.limit_ms:
                return
            await self.calm()
        raise AssertionError("\n".join(self.words()))

    async def play(self, fault: Fault) -> Verdict:
        """Play a fault. The next one starts when every client has all messages of this one."""
        since = now_ms()
        await fault.play(self._on)
        await self._crowd.caught_up(QUIET_S)
        until = now_ms()
        await self._crowd.caught_up(QUIET_S)
        verdict = judge(self._crew, await self._crowd.record(), since, until)
        self.rows.append((fault, verdict))
        return verdict

    def words(self) -> list[str]:
        return [_words(*row) for row in self.rows]


def _words(fault: Fault, verdict: Verdict) -> str:
    local = f"{verdict.local_ms:5.0f} ms local (median {verdict.local_median_ms:4.0f})"
    waits = f"longest wait {local}, {verdict.remote_ms:5.0f} ms remote"
    returns = f"{verdict.recovered} of {verdict.returns} returns recovered"
    return f"{fault.words:48}: {verdict.messages:4} messages, {verdict.due:5} deliveries, {waits}; {returns}"


@pytest.mark.timeout(540)
async def test_no_fault_loses_or_duplicates_a_message(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """N-05, N-06, N-07, N-10"""
    deliver = str(request.config.getoption("outages_deliver"))
    crew = people()
    async with (
        stage(tmp_path, deliver) as (several, on),
        front(tmp_path, {node: server.port for node, server in several.nodes.items()}) as url,
        clients(Path(node_executable()), HERE, CLIENT) as crowd,
    ):
        homes = await crowd.open(url, crew, ACK_TIMEOUT_MS)
        assert set(homes) == set(NODES)
        await crowd.start()
        run = Run(on, crowd, crew)
        await run.calm()
        for fault in _of_redis(number_of(request, "outage_seconds")):
            await run.play_unfelt(fault)
        for fault in _others():
            await run.play(fault)
        await crowd.stop()
        await crowd.caught_up(QUIET_S)
        record = await crowd.record()
        assert sorted(several.stored()) == sorted(each.text for each in record.sent)
        assert await crowd.nodes() != homes  # the clients of the killed node have moved
    print(*run.words(), sep="\n")
    whole = judge(crew, record, 0, now_ms())
    assert record.refused == []
    assert whole.perfect, whole
    if deliver == "stored":  # with "at_once" a message may be delivered, refused, and resent
        assert whole.anew == 0
    assert whole.recovered == whole.returns > 0
