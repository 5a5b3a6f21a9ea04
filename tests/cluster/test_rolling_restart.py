"""Every node is restarted in turn, while clients send messages through the proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.cluster.people import clients
from bench.cluster.verdict import judge
from bench.outages import now_ms
from bench.ports import free_port
from tests.cluster.crowd import ACK_TIMEOUT_MS, CLIENT, FLAGS, NODES, QUIET_S, people
from tests.cluster.front import front
from tests.cluster.nodes import cluster
from tests.cluster.people import look
from tests.interop.conftest import HERE
from tests.interop.node import node_executable
from tests.postgresql import Server

READY_S = 30.0


async def until_ready(port: int) -> None:
    """Wait for /readyz before the next node is restarted, as the README says."""
    async with asyncio.timeout(READY_S):
        while (found := await look(port, "/readyz"))[0] != 200:
            assert found[0] == 503


@pytest.mark.timeout(180)
@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_rolling_restart_loses_and_duplicates_nothing(postgresql: Server, tmp_path: Path, deliver: str) -> None:
    """N-24"""
    internal = {node: free_port() for node in NODES}
    crew = people()
    with cluster(tmp_path, postgresql, nodes=0) as several:
        for node in NODES:
            flags = ("--deliver", deliver, "--internal", f"127.0.0.1:{internal[node]}", *FLAGS)
            await asyncio.to_thread(several.start, node, *flags)
        async with (
            front(tmp_path, {node: several.nodes[node].port for node in NODES}) as url,
            clients(Path(node_executable()), HERE, CLIENT) as crowd,
        ):
            homes = await crowd.open(url, crew, ACK_TIMEOUT_MS)
            assert set(homes) == set(NODES)
            await crowd.start()
            for node in NODES:
                await until_ready(internal[node])
                assert await asyncio.to_thread(several.nodes[node].stop) == 0
                await asyncio.to_thread(several.nodes[node].start)
                await until_ready(internal[node])
                await crowd.caught_up(QUIET_S)
            await crowd.stop()
            await crowd.caught_up(QUIET_S)
            record = await crowd.record()
        assert sorted(several.stored()) == sorted(each.text for each in record.sent)
    verdict = judge(crew, record, 0, now_ms())
    assert record.refused == []
    assert verdict.perfect, verdict
    assert verdict.anew == 0
    assert verdict.recovered == verdict.returns >= len(crew)
