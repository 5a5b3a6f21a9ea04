from __future__ import annotations

import random

from chatd.cluster.redis.pauses import FIRST_PAUSE_S, LONGEST_PAUSE_S, Pauses


class Longest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def test_pauses_grow_up_to_a_bound_and_are_reset_by_a_success() -> None:
    pauses = Pauses(Longest())
    waited = [pauses.next() for _ in range(20)]
    assert waited[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert waited[-1] == LONGEST_PAUSE_S
    pauses.reset()
    assert pauses.next() == FIRST_PAUSE_S


def test_pauses_have_jitter() -> None:
    one, other = Pauses(random.Random(1)), Pauses(random.Random(2))
    waited = [(one.next(), other.next()) for _ in range(10)]
    assert all(first != second for first, second in waited)
    assert all(LONGEST_PAUSE_S / 2 <= pause_s <= LONGEST_PAUSE_S for pause_s in waited[-1])
