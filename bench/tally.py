"""The judgement of the messages that the subscribers of a jitter run received: pure functions on times and numbers.

Each subscriber must receive 0, 1, 2, ... up to the last number, each once and in this order, whatever happens to
its connection.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.crowd import Heard, Heardings
from bench.outages import Outage, Trace


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Of all subscribers together. A message received twice is doubled, one received after a later one is late."""

    due: int = 0
    delivered: int = 0
    doubled: int = 0
    late: int = 0
    damaged: int = 0

    @property
    def lost(self) -> int:
        return self.due - self.delivered

    @property
    def percent(self) -> float:
        return 100 * self.delivered / self.due

    @property
    def perfect(self) -> bool:
        return self.due > 0 and (self.lost, self.doubled, self.late, self.damaged) == (0, 0, 0, 0)

    def __add__(self, other: Deliveries) -> Deliveries:
        return Deliveries(
            self.due + other.due,
            self.delivered + other.delivered,
            self.doubled + other.doubled,
            self.late + other.late,
            self.damaged + other.damaged,
        )


def deliveries(due: int, numbers: Sequence[int]) -> Deliveries:
    """Judge one subscriber, who should receive every number below `due`."""
    heard: set[int] = set()
    doubled = late = damaged = 0
    newest = -1
    for number in numbers:
        if not 0 <= number < due:
            damaged += 1
        elif number in heard:
            doubled += 1
        else:
            late += number < newest
            newest = max(newest, number)
            heard.add(number)
    return Deliveries(due, len(heard), doubled, late, damaged)


@dataclass(frozen=True, slots=True)
class Return:
    """A reconnect. Milliseconds; `caught_up_ms` is None if a missed message was never received.

    `connect_ms` and `caught_up_ms` count from the time when the client reached the server again.
    """

    from_cut_ms: float
    connect_ms: float
    caught_up_ms: float | None
    recovered: bool
    killed: bool  # the server was killed during the outage


def returns(heard: Heard, sent: Sequence[tuple[float, int]], trace: Trace, kill: Outage | None) -> list[Return]:
    """One for each `connect` after an outage; overlapping outages count as one."""
    waiting = [*trace.outages, *([kill] if kill else [])]
    first_heard: dict[int, float] = {}
    for at, number in heard.messages:
        first_heard.setdefault(number, at)
    found = []
    for (before, _), (at, recovered) in itertools.pairwise(heard.connects):
        over = [outage for outage in waiting if outage.open_ms <= at]
        waiting = [outage for outage in waiting if outage.open_ms > at]
        if not over:
            continue  # a disconnect without an outage
        opened = max(outage.open_ms for outage in over)
        reached = min((when for when in trace.reached_ms if opened <= when <= at), default=opened)
        missed = [first_heard.get(number, math.inf) for when, number in sent if before < when <= reached]
        caught_up = max([at, *missed]) - reached
        cut = min(outage.cut_ms for outage in over)
        found.append(
            Return(at - cut, at - reached, caught_up if caught_up < math.inf else None, recovered, kill in over)
        )
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """All figures of a run; `killed` are the reconnects after the kill, `returned` the others."""

    messages: int
    deliveries: Deliveries
    returned: list[Return]
    killed: list[Return]
    down_ms: float | None = None  # from the kill until the server accepted connections again


def judge(heardings: Heardings, traces: Sequence[Trace], kill: Outage | None = None) -> Verdict:
    """`traces` has one for each subscriber."""
    due = len(heardings.sent)
    total = Deliveries()
    back: list[Return] = []
    for heard, trace in zip(heardings.subscribers, traces, strict=True):
        total += deliveries(due, [number for _, number in heard.messages])
        back += returns(heard, heardings.sent, trace, kill)
    returned, killed = ([one for one in back if one.killed is after] for after in (False, True))
    return Verdict(due, total, returned, killed, kill.open_ms - kill.cut_ms if kill else None)


QUANTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """Nearest rank; empty when there is none."""
    ranked = sorted(values)
    if not ranked:
        return {}
    return {name: ranked[math.ceil(share * len(ranked)) - 1] for name, share in QUANTILES.items()}
