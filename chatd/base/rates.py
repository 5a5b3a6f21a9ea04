"""Token buckets: an average rate and a burst.

A bucket is a single number, the instant at which it will be full again; a token taken moves that instant by its share
of a second, and there is none while it lies more than a burst ahead (the virtual scheduling form of the generic cell
rate algorithm, ITU-T I.371, annex A). So nothing has to be refilled, and a bucket that is full need not be kept.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

# What floating point may add to a few intervals, whatever a clock shows.
_ROUNDING_S: Final = 1e-6

# Full buckets are deleted when there are this many, then each time the number has doubled.
FIRST_SWEEP: Final = 1_024


class Rates(Generic[Key]):
    """A bucket for each key, all alike. `per_second` 0 means without limit; a burst is at least one."""

    __slots__ = ("_burst_s", "_full_at", "_interval_s", "_sweep_at")

    def __init__(self, per_second: float, burst: float) -> None:
        self._full_at: dict[Key, float] = {}
        self._sweep_at = FIRST_SWEEP
        self.change(per_second, burst)

    def change(self, per_second: float, burst: float) -> None:
        """Change rate and burst. A bucket that is not full will be full at the same time as before."""
        self._interval_s = 1.0 / per_second if per_second else 0.0
        self._burst_s = (max(burst, 1.0) - 1.0) * self._interval_s
        if not per_second:
            self._full_at.clear()

    def take(self, key: Key, now: float, count: int = 1) -> float:
        """Take `count` tokens at `now` seconds: 0.0, or the seconds until there will be so many, and none was taken.

        More than a burst can be taken from a full bucket, which is full again only when it has made up for them.
        """
        if not self._interval_s:
            return 0.0
        full_at = self._full_at.get(key, now)
        wait_s = full_at - now - self._burst_s
        if count > 1:
            wait_s += min((count - 1) * self._interval_s, self._burst_s)
        if wait_s > _ROUNDING_S:
            return wait_s
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        self._full_at[key] = max(full_at, now) + count * self._interval_s
        return 0.0

    def __len__(self) -> int:
        """The number of stored buckets."""
        return len(self._full_at)

    def _sweep(self, now: float) -> None:
        """Delete full buckets. The cost, one visit to each bucket, is amortised over as many new ones."""
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._full_at))
