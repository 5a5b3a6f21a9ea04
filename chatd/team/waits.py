"""Waiting times of users: two histograms, and figures of the users who wait now. Rule D-11.

Each node measures the answers of its own admins, so the sum over nodes is that of the team. The figures of waiting
users are read from the database, and are the same on every node.
"""

from __future__ import annotations

from typing import Final

from chatd.base.histogram import Histogram

SECONDS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400)


class Waits:
    """One for the team."""

    def __init__(self) -> None:
        self.first_answer_s: Histogram = Histogram(SECONDS)
        self.answer_s: Histogram = Histogram(SECONDS)
        self.waiting = 0
        self.longest_s = 0.0
        self.claimed = 0

    def answered(self, since_ms: int, at_ms: int, *, first: bool) -> None:
        """Record a wait; times are milliseconds since 1970. `first`: the first answer since the case was opened."""
        waited_s = max(0, at_ms - since_ms) / 1000
        self.answer_s.observe(waited_s)
        if first:
            self.first_answer_s.observe(waited_s)

    def saw(self, waiting: int, since_ms: int | None, claimed: int, now_ms: int) -> None:
        """Set the figures read from the database; times are milliseconds since 1970."""
        self.waiting, self.claimed = waiting, claimed
        self.longest_s = 0.0 if since_ms is None else max(0, now_ms - since_ms) / 1000
