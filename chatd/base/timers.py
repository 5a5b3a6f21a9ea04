"""One wheel for every deadline of the server: heartbeats, time-outs, expiring tokens.

A deadline is a slotted object in the set of its tick, and the wheel holds one alarm at the event loop, for the
earliest tick that has a deadline. So a deadline costs about a tenth of an `asyncio.call_later` handle, is set again in
half its time, and an idle server sleeps. A deadline never comes early. One that is less than a second away comes at
most a tick late; longer ones share every hundredth tick, which keeps the sets few.
"""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Callable
from typing import Final, Protocol

TICK_S: Final = 0.0001
COARSE_TICKS: Final = 100
COARSE_FROM_S: Final = 1.0

# A heartbeat is two deadlines in a row. The second counts from the instant at which the first was due, so that their
# delays do not add up; but at most this much before now, for while the loop was held up no client could be heard.
PUNCTUAL_TICKS: Final = 100

MAX_STALE_TICKS: Final = 1_000

_ROUNDING: Final = 1e-4  # of a tick: what floating point adds to a whole number of them

log = logging.getLogger("chatd.base.timers")


class Alarm(Protocol):
    """The handle that the event loop's `call_at` returns."""

    def cancel(self) -> None: ...


class Timed(Protocol):
    """An object with at most one deadline."""

    due_tick: int
    """Used by the wheel; 0 while there is no deadline."""

    def on_deadline(self) -> None:
        """The deadline has passed, and is no longer set."""


class Timers:
    """The wheel. `now` and `call_at` are the event loop's `time` and `call_at`, in its seconds."""

    __slots__ = ("_alarm", "_alarm_tick", "_call_at", "_due_s", "_expiring", "_sets", "_ticks", "_turned_to", "now")

    def __init__(self, now: Callable[[], float], call_at: Callable[[float, Callable[[], None]], Alarm]) -> None:
        self.now = now
        self._call_at = call_at
        self._sets: dict[int, set[Timed]] = {}
        self._ticks: list[int] = []
        self._turned_to = 0
        self._alarm: Alarm | None = None
        self._alarm_tick = 0
        self._expiring: Timed | None = None  # its `on_deadline` is running
        self._due_s = 0.0  # when that was due

    def arm(self, timed: Timed, delay_s: float) -> None:
        """Give `timed` its deadline `delay_s` from now, in place of the one it had.

        From inside its own `on_deadline`, the delay counts from the instant at which it was due.
        """
        self.cancel(timed)
        start_s = self._due_s if timed is self._expiring else self.now()
        tick = math.ceil((start_s + delay_s) / TICK_S - _ROUNDING)
        if delay_s >= COARSE_FROM_S:
            tick += -tick % COARSE_TICKS
        tick = max(tick, self._turned_to + 1)
        due = self._sets.get(tick)
        if due is None:
            due = self._sets[tick] = set()
            heapq.heappush(self._ticks, tick)
            if self._alarm is None or tick < self._alarm_tick:
                self._set_alarm(tick)
        due.add(timed)
        timed.due_tick = tick

    def cancel(self, timed: Timed) -> None:
        """Cancel the deadline of `timed`, if it has one."""
        if not timed.due_tick:
            return
        due = self._sets[timed.due_tick]
        due.discard(timed)
        if not due:
            del self._sets[timed.due_tick]
            self._drop_stale_ticks()
        timed.due_tick = 0

    def armed(self) -> int:
        """The number of deadlines. It visits the whole wheel, so it is for tests and metrics only."""
        return sum(map(len, self._sets.values()))

    def turn(self) -> None:
        """The alarm: call `on_deadline` of all that are due, earliest first."""
        self._alarm = None
        self._turn_to(max(self._alarm_tick, self._now_tick()))  # a clock may be a little behind its own alarm

    def catch_up(self) -> None:
        """Do the same before the alarm, which comes up to two milliseconds late: so that no request is ever served
        to somebody whose time is over."""
        if self._ticks and self._ticks[0] <= self._now_tick():
            self._turn_to(self._now_tick())

    def _now_tick(self) -> int:
        return math.floor(self.now() / TICK_S + _ROUNDING)

    def _turn_to(self, now_tick: int) -> None:
        self._turned_to = now_tick
        while self._ticks and self._ticks[0] <= now_tick:
            tick = heapq.heappop(self._ticks)
            due = self._sets.get(tick, set())
            self._due_s = max(tick, now_tick - PUNCTUAL_TICKS) * TICK_S
            while due:
                self._expire(due.pop())
            self._sets.pop(tick, None)
        if self._ticks:
            self._set_alarm(self._ticks[0])

    def _expire(self, timed: Timed) -> None:
        timed.due_tick = 0
        self._expiring = timed
        try:
            timed.on_deadline()
        except Exception:
            log.exception("a deadline failed", extra={"timed": type(timed).__name__})
        finally:
            self._expiring = None

    def _drop_stale_ticks(self) -> None:
        """A tick stays in the heap when its set is gone; far ones (tokens that live for days) would pile up there."""
        if len(self._ticks) > MAX_STALE_TICKS + 2 * len(self._sets):
            self._ticks = sorted(self._sets)  # a sorted list is a heap

    def _set_alarm(self, tick: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_tick = tick
        self._alarm = self._call_at(tick * TICK_S, self.turn)
