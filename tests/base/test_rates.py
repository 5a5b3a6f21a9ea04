"""Token buckets, on a manual clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.base.rates import FIRST_SWEEP, Rates


def test_a_burst_passes_and_then_one_token_at_a_time() -> None:
    rates: Rates[str] = Rates(10, 3)
    assert [rates.take("ana", 5.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.take("ana", 5.0) == pytest.approx(0.1)
    assert rates.take("ana", 5.06) == pytest.approx(0.04)
    assert rates.take("ana", 5.1001) == 0.0
    assert rates.take("ana", 5.1001) == pytest.approx(0.0999)


@pytest.mark.parametrize("now", [0.0, 0.1, 1_000.0, 1e8 / 7])
@pytest.mark.parametrize("per_second", [0.3, 3, 10, 1_000])
def test_a_burst_is_never_one_short(now: float, per_second: float) -> None:
    rates: Rates[str] = Rates(per_second, 50)
    assert [rates.take("ana", now) for _ in range(50)] == [0.0] * 50
    assert rates.take("ana", now) == pytest.approx(1 / per_second, rel=1e-3)


def test_an_idle_bucket_fills_up_to_its_burst() -> None:
    rates: Rates[str] = Rates(10, 3)
    assert [rates.take("ana", 0.0) > 0 for _ in range(4)] == [False, False, False, True]
    assert [rates.take("ana", 1e6) > 0 for _ in range(4)] == [False, False, False, True]


def test_every_key_has_a_bucket_of_its_own() -> None:
    rates: Rates[str] = Rates(1, 1)
    assert (rates.take("ana", 0.0), rates.take("eva", 0.0)) == (0.0, 0.0)
    assert rates.take("ana", 0.0) == pytest.approx(1.0)


def test_without_a_rate_nothing_is_stored_or_refused() -> None:
    rates: Rates[int] = Rates(0, 1)
    assert {rates.take(1, 0.0) for _ in range(1000)} == {0.0}
    assert len(rates) == 0


def test_a_rate_below_one_a_second_is_kept() -> None:
    rates: Rates[str] = Rates(0.1, 0)
    assert rates.take("ana", 0.0) == 0.0
    assert rates.take("ana", 4.0) == pytest.approx(6.0)


def test_full_buckets_are_deleted() -> None:
    rates: Rates[int] = Rates(1, 10)
    for number in range(20 * FIRST_SWEEP):
        assert rates.take(number, number * 0.01) == 0.0
    assert len(rates) <= 2 * FIRST_SWEEP


@given(
    st.floats(0.1, 1000), st.floats(1, 50), st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=200)
)
def test_no_window_passes_more_than_the_burst_and_its_rate(
    per_second: float, burst: float, pauses: list[float]
) -> None:
    rates: Rates[None] = Rates(per_second, burst)
    now, taken = 0.0, []
    for pause in pauses:
        now += pause
        if rates.take(None, now) == 0.0:
            taken.append(now)
    for first in range(len(taken)):
        assert len(taken) - first <= burst + per_second * (taken[-1] - taken[first]) + 1e-2


def test_a_changed_rate_applies_at_once_and_empty_buckets_stay_empty() -> None:
    """L-06, C-27"""
    rates: Rates[str] = Rates(1.0, 2.0)
    assert [rates.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 1.0]
    rates.change(10.0, 1.0)
    assert rates.take("a", 0.0) == pytest.approx(2.0)
    assert rates.take("b", 0.0) == 0.0
    assert rates.take("b", 0.0) == pytest.approx(0.1)
    rates.change(0.0, 1.0)
    assert [rates.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert len(rates) == 0


def test_several_tokens_are_taken_together_or_not_at_all() -> None:
    rates: Rates[str] = Rates(10, 30)
    assert [rates.take("ana", 0.0, 10) for _ in range(3)] == [0.0] * 3
    assert rates.take("ana", 0.0, 10) == pytest.approx(1.0)
    assert rates.take("ana", 0.0, 1) == pytest.approx(0.1)
    assert rates.take("ana", 0.5, 5) == 0.0


def test_more_tokens_than_the_burst_are_taken_only_from_a_full_bucket() -> None:
    rates: Rates[str] = Rates(10, 30)
    assert rates.take("ana", 0.0, 100) == 0.0
    assert rates.take("ana", 0.0, 1) == pytest.approx(7.1)
    assert rates.take("ana", 9.0, 100) == pytest.approx(1.0)
    assert rates.take("ana", 10.0, 100) == 0.0
