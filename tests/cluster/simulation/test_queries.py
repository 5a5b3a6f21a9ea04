"""Queries that are simpler than a vector and lose messages without any fault, when clients reconnect.

Commits are not in the order of ids: when a client has seen id 100, the commit of 90 may still be pending.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.cluster.simulation.broken import largest_id, overlapping
from tests.cluster.simulation.plan import Deliver
from tests.cluster.simulation.world import simulate

SEEDS: Final = range(15)

deliver = pytest.mark.parametrize("deliver", Deliver)


@deliver
def test_a_query_after_the_greatest_seen_id_loses_messages(deliver: Deliver) -> None:
    assert sum(simulate(seed, largest_id, deliver=deliver, calm=True).kinds["lost"] for seed in SEEDS)


@deliver
@pytest.mark.parametrize("window_ms", [30, 300])
def test_a_query_with_a_window_loses_messages_although_clients_drop_duplicates(
    deliver: Deliver, window_ms: int
) -> None:
    scheme = overlapping(window_ms)
    runs = [simulate(seed, scheme, deliver=deliver, calm=True, drops_doubles=True) for seed in SEEDS]
    assert sum(run.kinds["lost"] for run in runs)


@deliver
def test_the_vector_loses_no_message_in_the_same_runs(deliver: Deliver) -> None:
    for seed in SEEDS:
        verdict = simulate(seed, deliver=deliver, calm=True)
        assert verdict, str(verdict)
