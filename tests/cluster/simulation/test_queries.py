"""What looks simpler than a vector, and loses messages although nothing breaks: clients only come and go.

Commits are not in the order of the ids: when a client has seen id 100, 90 may still be on its way into the database.
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
def test_everything_after_the_largest_id_that_the_client_has_seen_loses_messages(deliver: Deliver) -> None:
    assert sum(simulate(seed, largest_id, deliver=deliver, calm=True).kinds["lost"] for seed in SEEDS)


@deliver
@pytest.mark.parametrize("window_ms", [30, 300])
def test_a_window_before_it_loses_messages_although_the_client_drops_doubles(deliver: Deliver, window_ms: int) -> None:
    scheme = overlapping(window_ms)
    runs = [simulate(seed, scheme, deliver=deliver, calm=True, drops_doubles=True) for seed in SEEDS]
    assert sum(run.kinds["lost"] for run in runs)


@deliver
def test_the_vector_loses_none_in_the_same_runs(deliver: Deliver) -> None:
    for seed in SEEDS:
        verdict = simulate(seed, deliver=deliver, calm=True)
        assert verdict, str(verdict)
