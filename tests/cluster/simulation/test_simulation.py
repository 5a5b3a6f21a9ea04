"""With any faults of bus, database and nodes, each client gets each of its messages once, in order.

`make simulate` runs fifty times as many seeds.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

import pytest

from tests.cluster.simulation.verdict import Verdict
from tests.cluster.simulation.world import simulate

SEEDS: Final = 2_000
AT_A_TIME: Final = 200
FRESH_SEEDS: Final = 50


def faults(verdicts: list[Verdict]) -> str:
    """The failed runs; repeat one with `python -m tests.cluster.simulation --seed N`."""
    return "\n".join(str(verdict) for verdict in verdicts if not verdict)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_no_message_is_lost_duplicated_or_out_of_order_and_all_clients_catch_up(first: int) -> None:
    verdicts = [simulate(seed) for seed in range(first, first + AT_A_TIME)]
    assert not faults(verdicts)
    assert sum(verdict.deliveries for verdict in verdicts) > 20 * AT_A_TIME


def test_new_seeds_pass_too(seed: int) -> None:
    luck = random.Random(seed)
    assert not faults([simulate(luck.randrange(2**32)) for _ in range(FRESH_SEEDS)])


def test_a_seed_gives_the_same_run() -> None:
    assert [simulate(seed) for seed in range(20)] == [simulate(seed) for seed in range(20)]


def test_the_runs_cover_every_situation() -> None:
    met = Counter[str]()
    for seed in range(AT_A_TIME):
        met += simulate(seed).met
    assert met.keys() >= {
        "BEAT",
        "Change",
        "DISPLACED",
        "Poll",
        "Read",
        "RECONNECT",
        "hidden by a floor",
        "more came during a replay than may wait",
        "recovered",
        "refused for want of a reservation",
        "the lock was lost",
    }
