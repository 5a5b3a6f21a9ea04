"""How long users wait for an answer: two histograms, and who waits at this moment. Rule D-11.

Each node measures the answers that its own admins gave, so the sum over nodes is that of the team. Who waits now is
read from the database by every node, and is the same on all.
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
        """`first`: no admin had answered since the conversation was opened."""
        waited_s = max(0, at_ms - since_ms) / 1000
        self.answer_s.observe(waited_s)
        if first:
            self.first_answer_s.observe(waited_s)

    def saw(self, waiting: int, since_ms: int | None, claimed: int, now_ms: int) -> None:
        """What the database said."""
        self.waiting, self.claimed = waiting, claimed
        self.longest_s = 0.0 if since_ms is None else max(0, now_ms - since_ms) / 1000
