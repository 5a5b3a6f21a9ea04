"""The goals of fairness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.fairness.post import Letter, Post
from bench.fairness.verdict import Phase, missed, phase
from bench.fairness.watch import Seen


def _phase(delivery_ms: float = 2.0, ack_ms: float = 4.0, health_ms: float = 5.0) -> Phase:
    post = Post()
    post.send(1, Letter("root", due=10.0, sent=10.001))
    post.hear("root", "ana", 1, 10.001 + delivery_ms / 1000)
    post.acknowledge(1, '{"ok":true}', 10.001 + ack_ms / 1000)
    return phase(post, Seen(health=[0.001, health_ms / 1000], joins=[0.003], newcomers=1))


def test_latencies_are_milliseconds_from_the_time_of_sending() -> None:
    found = _phase()
    assert found.delivery["p50"] == pytest.approx(2.0)
    assert found.ack["p99"] == pytest.approx(4.0)
    assert found.lag["max"] == pytest.approx(1.0)
    assert (found.health["max"], found.join["p50"]) == (5.0, 3.0)
    assert (found.messages, found.joined, found.newcomers, found.lost) == (1, 1, 1, [])


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (_phase(), []),
        (_phase(delivery_ms=15.9, ack_ms=21.9, health_ms=499.0), []),
        (_phase(delivery_ms=16.1), ["delivery"]),
        (_phase(ack_ms=22.1), ["ack"]),
        (_phase(health_ms=500.0), ["healthz"]),
        (replace(_phase(), unanswered=1), ["healthz"]),
        (replace(_phase(), newcomers=2), ["newcomers"]),
        (replace(_phase(), lost=["message 7 never came"]), ["1 LOST"]),
        (replace(_phase(), delivery={}, ack={}, health={}), ["delivery", "ack", "healthz"]),
    ],
)
def test_each_missed_goal_is_named(beside: Phase, expected: list[str]) -> None:
    assert missed(_phase(), beside) == expected
