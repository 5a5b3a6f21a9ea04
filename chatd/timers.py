"""One wheel for every deadline of the server: heartbeats, time-outs, expiring tokens.

A deadline is a slotted object in the set of its tick, and the wheel holds one alarm at the event loop, for the
earliest tick that has anybody. So a deadline costs about a tenth of an `asyncio.call_later` handle, is set again in
half its time, and an idle server sleeps. A deadline never comes early, and at most one tick late.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Callable
from typing import Final, Protocol

TICK_S: Final = 0.01

log = logging.getLogger("chatd.timers")


class Alarm(Protocol):
    """What the event loop's `call_at` returns."""

    def cancel(self) -> None: ...


class Timed:
    """Something that has at most one deadline at a time. Subclasses keep it small with `__slots__`."""

    __slots__ = ("due_tick",)

    def __init__(self) -> None:
        self.due_tick = 0

    def on_deadline(self) -> None:
        """The deadline has passed, and is no longer set."""
        raise NotImplementedError


class Timers:
    """The wheel. `now` and `call_at` are the event loop's `time` and `call_at`, in its seconds."""

    __slots__ = ("_alarm", "_alarm_tick", "_call_at", "_sets", "_ticks", "_turned_to", "now")

    def __init__(self, now: Callable[[], float], call_at: Callable[[float, Callable[[], None]], Alarm]) -> None:
        self.now = now
        self._call_at = call_at
        self._sets: dict[int, set[Timed]] = {}
        self._ticks: list[int] = []
        self._turned_to = 0
        self._alarm: Alarm | None = None
        self._alarm_tick = 0

    def arm(self, timed: Timed, delay_s: float) -> None:
        """Give `timed` its deadline `delay_s` from now, in place of the one it had."""
        self.cancel(timed)
        tick = max(math.ceil((self.now() + delay_s) / TICK_S), self._turned_to + 1)
        due = self._sets.get(tick)
        if due is None:
            due = self._sets[tick] = set()
            heapq.heappush(self._ticks, tick)
            if self._alarm is None or tick < self._alarm_tick:
                self._set_alarm(tick)
        due.add(timed)
        timed.due_tick = tick

    def cancel(self, timed: Timed) -> None:
        """Take back the deadline of `timed`, if it has one."""
        if timed.due_tick:
            self._sets[timed.due_tick].discard(timed)
            timed.due_tick = 0

    def armed(self) -> int:
        """How many deadlines are set; walks the wheel, so for tests and metrics."""
        return sum(map(len, self._sets.values()))

    def turn(self) -> None:
        """Call `on_deadline` of everybody who is due, earliest first."""
        now_tick = max(self._alarm_tick, math.floor(self.now() / TICK_S))
        self._alarm = None
        self._turned_to = now_tick
        while self._ticks and self._ticks[0] <= now_tick:
            tick = heapq.heappop(self._ticks)
            due = self._sets[tick]
            while due:
                _expire(due.pop())
            del self._sets[tick]
        if self._ticks:
            self._set_alarm(self._ticks[0])

    def _set_alarm(self, tick: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_tick = tick
        self._alarm = self._call_at(tick * TICK_S, self.turn)


def _expire(timed: Timed) -> None:
    timed.due_tick = 0
    try:
        timed.on_deadline()
    except Exception:
        log.exception("a deadline failed", extra={"timed": type(timed).__name__})
