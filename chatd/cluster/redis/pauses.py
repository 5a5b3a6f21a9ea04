"""How long to wait before the next attempt to connect: longer each time, up to a bound. Pure but for its luck."""

from __future__ import annotations

import random
from typing import Final

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 2.0


class Pauses:
    """Each pause is between half of its length and all of it, so that nodes do not come back in step."""

    __slots__ = ("_luck", "_next_s")

    def __init__(self, luck: random.Random) -> None:
        self._luck = luck
        self._next_s = FIRST_PAUSE_S

    def next(self) -> float:
        """Seconds until the next attempt."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return pause_s * self._luck.uniform(0.5, 1.0)

    def reset(self) -> None:
        """An attempt has succeeded."""
        self._next_s = FIRST_PAUSE_S
