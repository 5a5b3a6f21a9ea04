"""Exponential backoff between attempts to connect, with random jitter. Pure except for the random numbers."""

from __future__ import annotations

import random
from typing import Final

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 2.0


class Pauses:
    """Each pause is between half of its length and all of it, so that nodes do not reconnect at the same time."""

    __slots__ = ("_next_s", "_random")

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self._next_s = FIRST_PAUSE_S

    def next(self) -> float:
        """Seconds until the next attempt."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return pause_s * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """An attempt has succeeded."""
        self._next_s = FIRST_PAUSE_S
