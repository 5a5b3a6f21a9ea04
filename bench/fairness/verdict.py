"""The figures of a phase, and whether they reach the goals. Pure.

The goals: during a flood, the p99 of deliveries and of acknowledgements is at most three times that without the
flood, plus 10 ms; `/healthz` always answers within 500 ms; every newcomer joins; no message is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.fairness.post import Post
from bench.fairness.watch import Seen
from bench.tally import quantiles

TIMES: Final = 3.0
PLUS_MS: Final = 10.0
HEALTH_MS: Final = 500.0

GOAL: Final = f"p99 at most {TIMES:g}x of alone + {PLUS_MS:g} ms, /healthz below {HEALTH_MS:g} ms, all newcomers in"

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Phase:
    """Figures with or without the flood. Milliseconds as p50, p90, p99 and max; empty if there was no value."""

    delivery: Figures
    ack: Figures
    lag: Figures
    health: Figures
    join: Figures
    unanswered: int
    newcomers: int
    joined: int
    messages: int
    lost: list[str]


def phase(post: Post, seen: Seen) -> Phase:
    letters = post.letters.values()
    return Phase(
        delivery=_ms([letter.heard - letter.sent for letter in letters if letter.heard]),
        ack=_ms([letter.acknowledged - letter.sent for letter in letters if letter.acknowledged]),
        lag=_ms([letter.sent - letter.due for letter in letters]),
        health=_ms(seen.health),
        join=_ms(seen.joins),
        unanswered=seen.unanswered,
        newcomers=seen.newcomers,
        joined=len(seen.joins),
        messages=len(letters),
        lost=post.lost(),
    )


def missed(alone: Phase, beside: Phase) -> list[str]:
    """The goals that were missed."""
    found = []
    if _is_slow(alone.delivery, beside.delivery):
        found.append("delivery")
    if _is_slow(alone.ack, beside.ack):
        found.append("ack")
    if beside.unanswered or beside.health.get("max", HEALTH_MS) >= HEALTH_MS:
        found.append("healthz")
    if beside.joined < beside.newcomers:
        found.append("newcomers")
    if beside.lost:
        found.append(f"{len(beside.lost)} LOST")
    return found


def _ms(seconds: Sequence[float]) -> Figures:
    return quantiles(each * 1000 for each in seconds)


def _is_slow(alone: Figures, beside: Figures) -> bool:
    return not alone or not beside or beside["p99"] > TIMES * alone["p99"] + PLUS_MS
