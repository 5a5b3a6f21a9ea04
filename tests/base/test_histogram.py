from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.base.histogram import SECONDS, Histogram

INFINITY = float("inf")


def test_a_value_counts_at_the_first_bound_that_it_does_not_exceed() -> None:
    seen = Histogram((1, 2, 4))
    for value in (0, 1, 2, 3, 4, 5):
        seen.observe(value)
    assert seen.cumulative() == [(1, 2), (2, 3), (4, 5), (INFINITY, 6)]
    assert (seen.count, seen.sum) == (6, 15)


@given(st.lists(st.integers(0, 12_000)), st.integers(0, 1_000))
def test_a_batch_counts_as_its_values_one_by_one(since_ms: list[int], later_ms: int) -> None:
    """In units of 1/1024 s, which floats represent exactly."""
    since = sorted(value / 1024 for value in since_ms)
    now = max(since, default=0.0) + later_ms / 1024
    one_by_one, together = Histogram((0.25, 0.5, 1.0, 4.0, 8.0)), Histogram((0.25, 0.5, 1.0, 4.0, 8.0))
    for start in since:
        one_by_one.observe(now - start)
    together.observe_waits(since, now)
    assert together.cumulative() == one_by_one.cumulative()
    assert together.sum == one_by_one.sum


def test_a_quantile_is_a_bound() -> None:
    seen = Histogram(SECONDS)
    assert seen.quantile(0.99) == 0.0
    for _ in range(99):
        seen.observe(0.004)
    seen.observe(0.3)
    assert (seen.quantile(0.5), seen.quantile(0.99), seen.quantile(1.0)) == (0.005, 0.005, 0.5)
    seen.observe(60)
    assert seen.quantile(1.0) == INFINITY
