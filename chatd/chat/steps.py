"""Steps of the wall clock: tokens end by it, and their deadlines run on the monotonic clock. Rule C-09 of protocol.md.

A deadline is set once, when its socket joins. If the wall clock is set ahead afterwards, or the machine was suspended,
every deadline is too late. So the two clocks are compared every few seconds, which costs nothing; only if they have
drifted apart are the members walked, and their deadlines set again.
"""

from __future__ import annotations

import logging
from typing import Final

from chatd.chat.member import Clock, Member
from chatd.socketio.namespace import Namespace

EVERY_S: Final = 5.0

# NTP slews by half a millisecond a second: what it corrects adds up, and is taken for a step when it is this much.
STEP_S: Final = 0.5

log = logging.getLogger("chatd.chat")


class ClockSteps:
    """Compares from `start` on. `wall` gives Unix seconds; the namespace's timers have the monotonic clock."""

    __slots__ = ("_ahead_s", "_namespace", "_wall", "due_tick")

    def __init__(self, namespace: Namespace, wall: Clock) -> None:
        self.due_tick = 0
        self._namespace = namespace
        self._wall = wall
        self._ahead_s = 0.0

    def start(self) -> None:
        self._ahead_s = self._measure()
        self._namespace.timers.arm(self, EVERY_S)

    def on_deadline(self) -> None:
        step_s = self._measure() - self._ahead_s
        if abs(step_s) > STEP_S:
            self._ahead_s += step_s
            log.warning("the wall clock was set", extra={"step_s": round(step_s, 1)})
            for socket in self._namespace.sockets.values():
                if isinstance(socket.handler, Member):
                    socket.handler.await_expiry()
        self._namespace.timers.arm(self, EVERY_S)

    def _measure(self) -> float:
        """How far the wall clock is ahead of the monotonic one, in seconds."""
        return self._wall() - self._namespace.timers.now()
