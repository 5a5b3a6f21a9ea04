"""A small run of the benchmark `cluster`, end to end, with chatd alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.cluster import measure
from bench.cluster.outages import Client
from bench.report import Report
from tests.interop.conftest import HERE
from tests.interop.node import node_executable


@pytest.mark.timeout(120)
def test_two_nodes_lose_and_duplicate_nothing_and_their_cpu_is_measured(tmp_path: Path) -> None:
    """N-05, N-07"""
    report = Report("cluster", ("chatd",), tmp_path)
    client = Client(Path(node_executable()), HERE, "socket.io-client-4.8")
    measure.measure_outages(report, ["chatd"], ["redis-0.1"], client)
    measure.measure_cost(report, ["chatd"], recipients=10, rounds=1, seconds=0.1)
    report.write()
    _, outage, *costs = [msgspec.json.decode(line) for line in (tmp_path / "cluster.jsonl").read_bytes().splitlines()]
    assert (outage["case"]["fault"], outage["lost"], outage["doubled"], outage["anew"]) == ("redis-0.1", 0, 0, 0)
    assert outage["due"] == 10 * outage["messages"] > 0
    assert outage["local_ms"] > 0
    assert outage["remote_ms"] > 0
    for cost in costs:
        best = cost["best"]
        assert best["deliveries"] == best["messages"] * cost["case"]["recipients"] > 0
        assert len(best["cpu_s"]) == (2 if "two nodes" in cost["server"] else 1)
        assert all(spent > 0 for spent in best["cpu_s"])
    assert {cost["server"] for cost in costs} == {"chatd, alone", "chatd, two nodes"}
    waited = f"| Redis killed, back after 0.1 s | 0, 0, {outage['local_ms']:,.0f} / {outage['remote_ms']:,.0f} ms |"
    assert waited in (tmp_path / "cluster.md").read_text()
    assert "Redis killed, back after 0.1 s" in (tmp_path / "cluster-wait.svg").read_text()
    assert not (tmp_path / "cluster-lost.svg").exists()
    text = (tmp_path / "cluster.txt").read_text()
    assert "Redis killed, back after 0.1 s" in text
    assert "one message to 10 admins, 8 in flight" in text
