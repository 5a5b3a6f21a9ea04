"""A histogram of plain numbers, kept by the code that is measured: ops/ publishes it.

`observe` takes 0.2 µs, so it is for what happens to a batch, a session or a second. For what happens to every message
there is `observe_waits`, which takes a whole batch at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds for durations of milliseconds."""

ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Bounds for the sizes of batches."""


class Histogram:
    """Counts of values by upper bound, and their sum."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are in order; what is over the last is counted too."""
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_waits(self, since: Sequence[float], now: float) -> None:
        """Observe `now - start` for each of `since`, which are in order: a search for each bound, not for each value.

        For a single one it takes 2 µs, for a thousand 5 ns each.
        """
        later = len(since)  # those that are left, the oldest, have waited longer than the bounds so far
        for number, bound in enumerate(self.bounds):
            first = bisect_left(since, now - bound, 0, later)
            self._counts[number] += later - first
            later = first
            if not later:
                break
        self._counts[-1] += later
        self.sum += len(since) * now - sum(since)

    @property
    def count(self) -> int:
        return sum(self._counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, and infinity, the number of values not above it."""
        return list(zip((*self.bounds, float("inf")), accumulate(self._counts), strict=True))

    def quantile(self, share: float) -> float:
        """The least bound that is not below `share` of the values; 0.0 without values."""
        wanted = share * self.count
        reached = [count for _, count in self.cumulative()]
        return (*self.bounds, float("inf"))[bisect_right(reached, wanted - 1e-9)] if wanted else 0.0
