"""The benchmark `webhook`, in small: every message is stored and sent to the receiver."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.report import Report
from bench.webhook.measure import measure
from bench.webhook.plan import Plan, verdict


@pytest.mark.timeout(180)  # three daemons, on a busy machine
def test_each_part_is_measured_and_writes_a_table_and_json_lines(tmp_path: Path) -> None:
    measure(Report("webhook", ("chatd",), tmp_path), Plan(seconds=0.3, rounds=1, rate=100, events=1_000))
    _, *records = map(json.loads, (tmp_path / "webhook.jsonl").read_text().splitlines())
    assert [record["case"]["part"] for record in records] == ["beside"] * 2 + ["sends"] * 3 + ["down"]
    assert [record["case"]["hook"] for record in records[:2]] == [False, True]
    assert all(0 < record["delivery"]["p50"] <= record["delivery"]["p99"] for record in records[:2])
    assert all(record["best"] > 0 for record in records[2:5])
    assert len(records[5]["resident_mib"]) == 2
    table = (tmp_path / "webhook.txt").read_text()
    for line in ("with a hook", "API, 100 a request", "resident memory with a receiver that is down"):
        assert line in table


def test_a_goal_is_reached_or_missed() -> None:
    assert verdict("p99 at most 1.2 times", reached=True) == "goal p99 at most 1.2 times: ok"
    assert verdict("p99 at most 1.2 times", reached=False) == "goal p99 at most 1.2 times: missed"
