"""What to ask of the database about one origin, and when. One question at a time; a failed one again after a pause.

The database must be the primary: a replica may not have a row yet that its origin has settled.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0


class Read(NamedTuple):
    """Which rows of `origin` have an id above `after` and up to `upto`? In the order of their ids."""

    origin: int
    after: int
    upto: int


class Heal:
    """The question that is open, or the pause until the next."""

    __slots__ = ("_not_before_s", "_origin", "_pause_s", "reading")

    def __init__(self, origin: int) -> None:
        self._origin = origin
        self._pause_s = FIRST_PAUSE_S
        self._not_before_s = 0.0
        self.reading: Read | None = None

    def ask(self, applied: int, missing: int, settled: int, now_s: float) -> Read | None:
        """The question to put now, if `applied` is behind `missing`; it stays open until `done` or `failed`.

        What is not settled is not asked for: its row may be on its way, and an answer without it would skip it.
        """
        upto = min(missing, settled)
        if upto <= applied or self.reading is not None or now_s < self._not_before_s:
            return None
        self.reading = Read(self._origin, applied, upto)
        return self.reading

    def done(self) -> None:
        self.reading = None
        self._pause_s = FIRST_PAUSE_S

    def failed(self, now_s: float) -> None:
        self.reading = None
        self._not_before_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
