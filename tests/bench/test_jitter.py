"""The judge of the jitter run detects every mistake, and times each reconnect from the right moment."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import pytest

from bench import outcome
from bench.crowd import Heard, Heardings
from bench.outages import Outage, Trace
from bench.report import Report
from bench.tally import Deliveries, Return, Verdict, deliveries, judge, quantiles, returns

SENT = [(100.0 * number, number) for number in range(6)]  # at 0, 100 ... 500 ms


def heard(connects: list[tuple[float, bool]], messages: list[tuple[float, int]]) -> Heard:
    return Heard(connects=connects, messages=messages, errors=0)


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ([0, 1, 2, 3], Deliveries(due=4, delivered=4)),
        ([0, 1, 3], Deliveries(due=4, delivered=3)),
        ([], Deliveries(due=4)),
        ([0, 1, 1, 2, 3], Deliveries(due=4, delivered=4, doubled=1)),
        ([0, 2, 1, 3], Deliveries(due=4, delivered=4, late=1)),
        ([0, 1, 2, 3, 1], Deliveries(due=4, delivered=4, doubled=1)),
        ([0, 1, 2, 3, 4], Deliveries(due=4, delivered=4, damaged=1)),
        ([0, 1, -1, 2, 3], Deliveries(due=4, delivered=4, damaged=1)),
    ],
)
def test_every_mistake_is_counted(numbers: list[int], verdict: Deliveries) -> None:
    assert deliveries(4, numbers) == verdict
    assert verdict.perfect == (numbers == [0, 1, 2, 3])


def test_a_reconnect_is_timed_from_reaching_the_server() -> None:
    one = heard([(0.0, False), (360.0, True)], [(1.0, 0), (101.0, 1), (361.0, 2), (365.0, 3), (401.0, 4), (501.0, 5)])
    trace = Trace([Outage(150.0, 340.0)], [0.0, 350.0])
    assert returns(one, SENT, trace, None) == [
        Return(from_cut_ms=210.0, connect_ms=10.0, caught_up_ms=15.0, recovered=True, killed=False)
    ]


def test_a_reconnect_with_a_missing_message_is_not_complete() -> None:
    one = heard([(0.0, False), (360.0, False)], [(1.0, 0), (101.0, 1), (361.0, 3), (401.0, 4), (501.0, 5)])
    (back,) = returns(one, SENT, Trace([Outage(150.0, 340.0)], [0.0, 350.0]), None)
    assert (back.caught_up_ms, back.recovered) == (None, False)


def test_a_reconnect_without_messages_meanwhile_is_complete() -> None:
    one = heard([(0.0, False), (195.0, False)], [(at + 1.0, number) for at, number in SENT])
    (back,) = returns(one, SENT, Trace([Outage(110.0, 185.0)], [0.0, 190.0]), None)
    assert back.caught_up_ms == 5.0


def test_a_disconnect_during_the_kill_counts_as_one_reconnect() -> None:
    one = heard([(0.0, False), (360.0, True)], [])
    kill = Outage(200.0, 345.0)
    (back,) = returns(one, SENT, Trace([Outage(150.0, 300.0)], [0.0, 310.0, 350.0]), kill)
    assert (back.from_cut_ms, back.connect_ms, back.killed) == (210.0, 10.0, True)


def test_each_outage_has_its_own_reconnect() -> None:
    one = heard([(0.0, False), (130.0, True), (330.0, True)], [])
    trace = Trace([Outage(100.0, 120.0), Outage(300.0, 320.0)], [0.0, 125.0, 326.0])
    assert [(back.from_cut_ms, back.connect_ms) for back in returns(one, SENT, trace, None)] == [
        (30.0, 5.0),
        (30.0, 4.0),
    ]


def test_all_subscribers_are_judged_together() -> None:
    whole = heard([(0.0, False)], [(at + 1.0, number) for at, number in SENT])
    deaf = heard([(0.0, False), (360.0, False)], [])
    kill = Outage(100.0, 340.0)
    verdict = judge(Heardings(sent=SENT, refused=[], subscribers=[whole, deaf]), [Trace(), Trace()], kill)
    assert (verdict.messages, verdict.deliveries) == (6, Deliveries(due=12, delivered=6))
    assert verdict.deliveries.percent == 50
    assert (len(verdict.returned), len(verdict.killed), verdict.down_ms) == (0, 1, 240)


def test_quantiles_are_values_that_occurred() -> None:
    assert quantiles(range(1, 101)) == {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    assert quantiles([7.0]) == {"p50": 7, "p90": 7, "p99": 7, "max": 7}
    assert quantiles([]) == {}


def test_the_outcome_is_a_table_json_lines_and_charts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    back = Return(from_cut_ms=2000.0, connect_ms=4.0, caught_up_ms=6.5, recovered=True, killed=False)
    verdicts = {
        "chatd": Verdict(10, Deliveries(due=300_000, delivered=300_000), [back], []),
        "node": Verdict(
            10, Deliveries(due=300_000, delivered=299_999, doubled=2), [back], [replace(back, killed=True)]
        ),
    }
    report = Report("jitter", ("floor",), tmp_path)
    report.add("chatd", {}, outcome.figures(verdicts["chatd"]))
    outcome.tables(report, verdicts)
    outcome.charts(report, verdicts, "300 subscribers")
    report.write()
    printed = capsys.readouterr().out
    assert "100 %" in printed
    assert "99.999 %" in printed
    _, line = [msgspec.json.decode(line) for line in (tmp_path / "jitter.jsonl").read_bytes().splitlines()]
    assert line["deliveries"] == asdict(verdicts["chatd"].deliveries) | {"lost": 0, "percent": 100}
    assert line["returned"]["caught_up_ms"]["p50"] == 6.5
    assert (tmp_path / "jitter.svg").exists()
    assert (tmp_path / "jitter-latency.svg").exists()


def test_a_loss_is_visible_after_rounding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    verdicts = {"chatd": Verdict(10, Deliveries(due=10_000_000, delivered=9_999_999), [], [])}
    outcome.tables(Report("jitter", ("chatd",), tmp_path), verdicts)
    assert "99.999 %" in capsys.readouterr().out
