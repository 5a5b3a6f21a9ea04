"""The rows of a run as they are printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.fairness import outcome
from bench.fairness.flooder import Done
from bench.fairness.floods import FLOODS
from bench.fairness.outcome import Row
from bench.fairness.verdict import Phase, missed
from bench.report import Report

QUICK = {"p50": 1.0, "p90": 1.5, "p99": 2.0, "max": 3.0}
SLOW = {"p50": 100.0, "p90": 150.0, "p99": 1_200.0, "max": 1_300.0}
ALONE = Phase(QUICK, QUICK, QUICK, QUICK, QUICK, unanswered=0, newcomers=5, joined=5, messages=64, lost=[])


def _row(server: str, beside: Phase) -> Row:
    done = Done(seconds=2.0, opened=100, ended=7, rounds=1_000, sent_bytes=5_000_000, cpu_s=0.1)
    return Row(FLOODS["noop-100"], server, ALONE, beside, done, missed(ALONE, beside), 1)


def test_a_row_names_the_missed_goals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("fairness", ("chatd", "node"), tmp_path)
    rows = [_row("chatd", ALONE), _row("node", replace(ALONE, delivery=SLOW, joined=4))]
    outcome.table(report, rows)
    outcome.chart(report, rows)
    chatd, node = (line for line in capsys.readouterr().out.splitlines() if line.startswith("noop-100"))
    assert chatd.endswith("5/5                           ok")
    assert "2.50 MB/s" in chatd
    assert node.endswith("4/5  MISSED: delivery, newcomers")
    assert "1,200 ms" in node
    assert (tmp_path / "fairness.svg").exists()


def test_a_lost_message_is_reported_with_its_flood() -> None:
    rows = [
        _row("chatd", replace(ALONE, lost=["message 7 never came"])),
        _row("node", replace(ALONE, lost=["message 8 never came"])),
    ]
    assert outcome.lost_by("chatd", rows) == ["noop-100: message 7 never came"]
