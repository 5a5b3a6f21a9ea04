"""Mutation tests: without any one part of the core, the simulation finds a fault."""

from __future__ import annotations

from typing import Final

import pytest

from tests.cluster.simulation.broken import BROKEN
from tests.cluster.simulation.verdict import Verdict
from tests.cluster.simulation.world import simulate

ENOUGH_SEEDS: Final = 2_000

FOUND_AS: Final = {
    "chain": {"lost"},
    "gap": {"doubled"},
    "heal": {"lost", "stuck"},
    "heal waits until it is settled": {"lost"},
    "tail": {"lost"},
    "floor": {"doubled"},
    "beats": {"lost"},
    "epochs": {"ghost"},
    "reservation": {"lost"},
    "lock": {"lost"},
}


def first_fault(kinds: set[str]) -> Verdict | None:
    verdicts = map(simulate, range(ENOUGH_SEEDS))
    return next((verdict for verdict in verdicts if verdict.kinds.keys() & kinds), None)


def test_every_part_is_listed() -> None:
    assert FOUND_AS.keys() == BROKEN.keys()


@pytest.mark.parametrize("part", BROKEN)
def test_a_run_without_a_part_of_the_core_fails(part: str) -> None:
    with BROKEN[part]():
        found = first_fault(FOUND_AS[part])
    assert found is not None
    assert simulate(found.seed), "the complete core passes the same run"
