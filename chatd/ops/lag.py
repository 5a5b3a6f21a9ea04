"""Measures the delay of the event loop: a long turn delays every client."""

from __future__ import annotations

import asyncio
from typing import Final

from chatd.base.histogram import SECONDS, Histogram

PROBE_S: Final = 0.25


class LoopLag:
    """Schedules a call every PROBE_S seconds, and measures how late it comes. Runs from `start` to `stop`."""

    def __init__(self) -> None:
        self.observed = Histogram(SECONDS)
        self.last_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._probe: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._ask()

    def stop(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None

    def _ask(self) -> None:
        due = self._loop.time() + PROBE_S
        self._probe = self._loop.call_at(due, self._called, due)

    def _called(self, due: float) -> None:
        self.last_s = max(0.0, self._loop.time() - due)
        self.observed.observe(self.last_s)
        self._ask()
