"""The command line, end to end, against chatd and the C baseline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench import fanout

ROOT = Path(__file__).resolve().parents[2]


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(180)  # it takes 50 s on a busy machine
def test_smoke_loses_and_duplicates_nothing(tmp_path: Path) -> None:
    done = _bench("smoke", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "chatd: " in done.stdout
    assert "floor: " in done.stdout
    assert "nothing lost, nothing doubled" in done.stdout


def test_a_benchmark_writes_a_table_json_lines_and_a_chart(tmp_path: Path) -> None:
    cases = ("--recipients", "10", "--in-flight", "1,8", "--payload", "64")
    done = _bench(
        "fanout", "--servers", "floor,batch", *cases, "--rounds", "1", "--seconds", "0.05", "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert "fan-out: deliveries/s (best round)" in done.stdout
    about, *records = [msgspec.json.decode(line) for line in (tmp_path / "fanout.jsonl").read_bytes().splitlines()]
    assert {"cpu", "kernel", "python", "commit", "date", "cores"} <= set(about["machine"])
    assert set(about["versions"]) == {"floor", "batch"}
    assert [(record["server"], record["case"]["in_flight"]) for record in records] == [
        ("floor", 1),
        ("batch", 1),
        ("floor", 8),
        ("batch", 8),
    ]
    best = records[0]["best"]
    assert best["deliveries"] == best["messages"] * 10
    assert best["server_cpu_s"] > 0
    assert (tmp_path / "fanout.svg").exists()
    assert "deliveries/s" in (tmp_path / "fanout.txt").read_text()


def test_small_teams_are_measured_with_one_message_in_flight() -> None:
    usual = fanout.cases(full=False)
    for recipients in (2, 5, 20):
        assert [case for case in usual if case.recipients == recipients] == [fanout.Case(recipients, 1, 64)]
    assert {case.recipients for case in usual} == set(fanout.RECIPIENTS)
    assert set(usual) < set(fanout.cases(full=True))


@pytest.mark.timeout(120)
def test_fairness_reports_the_effect_of_one_attacker_on_others(tmp_path: Path) -> None:
    done = _bench(
        *("fairness", "--servers", "chatd", "--floods", "noop-1,es384-1"),
        *("--seconds", "0.5", "--out", str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    assert "what honest people notice of one attacker" in done.stdout
    about, *records = [msgspec.json.decode(line) for line in (tmp_path / "fairness.jsonl").read_bytes().splitlines()]
    assert set(about["versions"]) == {"chatd"}
    assert [record["case"]["flood"] for record in records] == ["noop-1", "es384-1"]
    for record in records:
        assert record["done"]["rounds"] > 0
        for phase in (record["alone"], record["beside"]):
            assert phase["messages"] > 0
            assert phase["lost"] == []
            assert 0 < phase["delivery"]["p50"] <= phase["delivery"]["p99"]
    assert (tmp_path / "fairness.svg").exists()
    assert "es384-1" in (tmp_path / "fairness.txt").read_text()


def test_an_unknown_flood_is_refused() -> None:
    done = _bench("fairness", "--floods", "deluge")
    assert done.returncode == 2
    assert "'deluge' is none of churn-1" in done.stderr


def test_an_unknown_server_is_refused() -> None:
    done = _bench("fanout", "--servers", "nginx")
    assert done.returncode == 2
    assert "nginx is none of chatd" in done.stderr
