"""Three nodes behind HAProxy, real clients of every transport, and one thing after the other fails while they write.

Nothing may be lost, doubled or out of order, whatever fails. The longest waits are printed; what Redis does must not be
seen by recipients on the sender's node. `make outages` has longer outages, and both kinds of delivery.
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
    redis_away,
    stopped,
)
from bench.cluster.link import link
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
USUAL_S: Final = 1.0
"""Half of the local deliveries take less while Redis is away. If a node waited for Redis, half of them would take more
than half of the outage. The longest wait says more of a busy machine: the outage itself is its bound."""


def _faults(redis_away_s: float) -> list[Fault]:
    """The node of the last one is killed at the end: afterwards its clients are elsewhere."""
    of_redis = [redis_away(0.1), redis_away(redis_away_s), link_held(4.0), link_cut(SHORTEST_S)]
    return [*of_redis, database_restarts(), stopped(2, 6.0), killed(1)]


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


async def _play(fault: Fault, on: Stage, crowd: Clients) -> tuple[float, float]:
    """From when to when it was felt; the next fault is not before everybody has what was written in that time."""
    since = now_ms()
    await fault.play(on)
    await crowd.caught_up(QUIET_S)
    until = now_ms()
    await crowd.caught_up(QUIET_S)
    return since, until


def _words(fault: Fault, verdict: Verdict) -> str:
    local = f"{verdict.local_ms:5.0f} ms local (median {verdict.local_median_ms:4.0f})"
    waits = f"longest wait {local}, {verdict.remote_ms:5.0f} ms remote"
    returns = f"{verdict.recovered} of {verdict.returns} returns recovered"
    return f"{fault.words:48}: {verdict.messages:4} messages, {verdict.due:5} deliveries, {waits}; {returns}"


@pytest.mark.timeout(240)
async def test_whatever_fails_nothing_is_lost_or_doubled(request: pytest.FixtureRequest, tmp_path: Path) -> None:
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
        spans = {fault: await _play(fault, on, crowd) for fault in _faults(number_of(request, "outage_seconds"))}
        await crowd.stop()
        await crowd.caught_up(QUIET_S)
        record = await crowd.record()
        assert sorted(several.stored()) == sorted(each.text for each in record.sent)
        assert await crowd.nodes() != homes  # those of the killed node are elsewhere
    verdicts = {fault: judge(crew, record, *span) for fault, span in spans.items()}
    print(*(_words(*each) for each in verdicts.items()), sep="\n")
    whole = judge(crew, record, 0, now_ms())
    assert record.refused == []
    assert whole.perfect, whole
    if deliver == "stored":  # with "at_once" a message may be seen, and refused, and sent again
        assert whole.anew == 0
    assert whole.recovered == whole.returns > 0
    for fault in (each for each in verdicts if each.of_redis):
        assert verdicts[fault].local_median_ms < 1000 * USUAL_S, fault.words
        assert verdicts[fault].local_ms < 1000 * SHORTEST_S, fault.words
