"""The parameters of a seed: the numbers of nodes and clients, and the faults with their times."""

from __future__ import annotations

import dataclasses
import enum
import random
from collections.abc import Sequence
from typing import Final

LOAD_MS: Final = 1_500
"""The time in which messages are sent and faults occur."""


class Deliver(enum.Enum):
    AT_ONCE = "at_once"
    STORED = "stored"


class Fault(enum.Enum):
    KILL = "a process is killed, and another with its number starts"
    KILL_FOR_GOOD = "a process is killed"
    FREEZE = "a process stands still"
    DISPLACE = "a process stands still, loses its lock, and finds that another has its number"
    BUS_DOWN = "the bus is gone, and forgets who listened"
    CUT = "a node loses its connection to the bus"
    DEAF = "a node hears nothing of the bus, and is not told"
    DATABASE_DOWN = "the database answers nobody, and commits nothing"


THEMES: Final[Sequence[Sequence[Fault]]] = (
    list(Fault),
    [Fault.KILL],
    [Fault.KILL, Fault.FREEZE, Fault.DATABASE_DOWN],
    [Fault.DISPLACE, Fault.KILL, Fault.CUT],
    [Fault.BUS_DOWN, Fault.CUT, Fault.DEAF],
)


@dataclasses.dataclass(frozen=True, slots=True)
class Strike:
    when_ms: int
    fault: Fault
    node: int
    length_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """`drops` and `doubles` are fractions of all frames, `refusals` of all commits, `failures` of all reads."""

    deliver: Deliver
    nodes: list[int]
    clients: int
    messages: int
    bus_ms: int
    commit_ms: int
    drops: float
    doubles: float
    refusals: float
    failures: float
    stay_ms: int
    strikes: list[Strike]


def make_plan(luck: random.Random, *, deliver: Deliver | None = None, calm: bool = False) -> Plan:
    """`calm`: no faults, but clients still reconnect and commits take time."""
    count = luck.choice((2, 3, 3, 4))
    nodes = luck.sample((0, 1, 2, 5, 17, 1023), count)
    theme = luck.choice(THEMES)
    strikes = [_strike(luck, nodes, theme) for _ in range(0 if calm else luck.choice((0, 1, 3, 6)))]
    mode = luck.choice(list(Deliver))
    return Plan(
        deliver=mode if deliver is None else deliver,
        nodes=nodes,
        clients=luck.choice((2, 3, 5)),
        messages=luck.choice((15, 30, 60)),
        bus_ms=luck.choice((2, 30, 200)),
        commit_ms=luck.choice((3, 40, 400)),
        drops=0.0 if calm else luck.choice((0.0, 0.05, 0.3)),
        doubles=0.0 if calm else luck.choice((0.0, 0.05)),
        refusals=0.0 if calm else luck.choice((0.0, 0.0, 0.1)),
        failures=0.0 if calm else luck.choice((0.0, 0.2)),
        stay_ms=luck.choice((100, 400, 1_500)),
        strikes=strikes,
    )


def _strike(luck: random.Random, nodes: list[int], theme: Sequence[Fault]) -> Strike:
    fault = luck.choice(theme)
    length_ms = luck.choice((20, 300, 800, 2_500))
    return Strike(luck.randrange(LOAD_MS), fault, luck.choice(nodes), length_ms)
