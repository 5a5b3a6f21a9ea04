"""The ids of one process."""

from __future__ import annotations

from chatd.cluster.core.vector import MAX_SEQUENCE, MS_SHIFT, SEQUENCE_BITS
from tests.cluster.simulation.clock import Clock

EPOCH_MS = 1_000_000  # no id is small


class Ids:
    """Ids that grow with the process's own clock."""

    def __init__(self, number: int, last: int, clock: Clock, skew_ms: int) -> None:
        self._last = last
        self._number = number
        self._clock = clock
        self._skew_ms = skew_ms

    @property
    def now(self) -> int:
        """The id of the present time, or the last one."""
        ms = EPOCH_MS + self._clock.now_ms + self._skew_ms
        return max(ms << MS_SHIFT | self._number << SEQUENCE_BITS, self._last)

    def next(self) -> int:
        if self.now > self._last:
            self._last = self.now
        elif self._last & MAX_SEQUENCE < MAX_SEQUENCE:
            self._last += 1
        else:
            self._last = (self._last >> MS_SHIFT) + 1 << MS_SHIFT | self._number << SEQUENCE_BITS
        return self._last
