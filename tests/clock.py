"""A clock that stands still until a test advances it, with its own `call_at`."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Final

from chatd.base.timers import Timers

_ROUNDING_S: Final = 1e-9


class HandMadeAlarm:
    """The timer handle that `Clock.call_at` returns."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Replaces the event loop's `time` and `call_at`. `now` is in seconds; timers run `lateness_s` late."""

    def __init__(self, start_s: float = 1_000.0) -> None:
        self.now = start_s
        self.lateness_s = 0.0
        self._order = itertools.count()
        self._alarms: list[tuple[float, int, HandMadeAlarm]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, ring: Callable[[], None]) -> HandMadeAlarm:
        alarm = HandMadeAlarm(ring)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        return alarm

    def timers(self) -> Timers:
        return Timers(self.time, self.call_at)

    @property
    def alarms(self) -> int:
        """The number of timers that are set."""
        return sum(not alarm.cancelled for _, _, alarm in self._alarms)

    def pass_to(self, then: float) -> None:
        """Advance the time to `then`; timers on the way run."""
        while self._alarms and self._alarms[0][0] + self.lateness_s <= then + _ROUNDING_S:
            when, _, alarm = heapq.heappop(self._alarms)
            if not alarm.cancelled:
                self.now = max(self.now, when + self.lateness_s)
                alarm.ring()
        self.now = max(self.now, then)

    def pass_seconds(self, seconds: float) -> None:
        self.pass_to(self.now + seconds)
