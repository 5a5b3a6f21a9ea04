"""Virtual time: scheduled calls, in order. Milliseconds are integers, so a seed gives the same run everywhere."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Clock:
    """Runs scheduled calls and advances to their time."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._planned: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def now_s(self) -> float:
        return self.now_ms / 1000

    def at(self, when_ms: int, call: Callable[..., None], *args: Any) -> None:
        """Schedule a call. Calls for the same time run in the order in which they were scheduled."""
        self._count += 1
        heapq.heappush(self._planned, (max(when_ms, self.now_ms), self._count, call, args))

    def after(self, delay_ms: int, call: Callable[..., None], *args: Any) -> None:
        self.at(self.now_ms + delay_ms, call, *args)

    def run(self, until_ms: int) -> None:
        planned = self._planned
        while planned and planned[0][0] <= until_ms:
            self.now_ms, _, call, args = heapq.heappop(planned)
            call(*args)
        self.now_ms = until_ms


class Link:
    """A connection: delivers later, in the same order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0

    def send(self, delay_ms: int, call: Callable[..., None], *args: Any) -> None:
        self._last_ms = max(self._last_ms, self._clock.now_ms + delay_ms)
        self._clock.at(self._last_ms, call, *args)
