"""Beats: when to send one, and whether own frames come back. Times are seconds of a monotonic clock."""

from __future__ import annotations

from typing import Final

BEAT_S: Final = 0.25
DEAF_S: Final = 2 * BEAT_S
POLL_S: Final = 1.0

SILENT_S: Final = 4 * BEAT_S
"""After this time without a frame, an origin is polled: it may store messages that do not arrive over the bus."""


class Beats:
    """When the next beat is due. A frame with messages counts as a beat."""

    __slots__ = ("_due_s",)

    def __init__(self, now_s: float) -> None:
        self._due_s = now_s

    def is_due(self, now_s: float) -> bool:
        return now_s >= self._due_s

    def sent(self, now_s: float) -> None:
        self._due_s = now_s + BEAT_S

    def hasten(self) -> None:
        """Another node has asked for a beat."""
        self._due_s = 0.0


class Pulse:
    """Checks that this node's own frames come back: a subscription can be dead while its connection looks healthy."""

    __slots__ = ("_waiting_since_s",)

    def __init__(self) -> None:
        self._waiting_since_s: float | None = None

    def sent(self, now_s: float) -> None:
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    def heard(self) -> None:
        """A frame of this node arrived."""
        self._waiting_since_s = None

    def is_deaf(self, now_s: float) -> bool:
        return self._waiting_since_s is not None and now_s - self._waiting_since_s >= DEAF_S

    def slept(self, seconds: float) -> None:
        """This process stalled for that long, and has not read yet what arrived meanwhile."""
        if self._waiting_since_s is not None:
            self._waiting_since_s += seconds
