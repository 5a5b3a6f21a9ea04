"""Decides when to read missing messages of one origin from the database. One read at a time; retries after a pause.

The database must be the primary: a replica may lack a row that the origin has settled.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0


class Read(NamedTuple):
    """A question for the rows of `origin` with ids in (`after`, `upto`], in the order of their ids."""

    origin: int
    after: int
    upto: int


class Heal:
    """The open read, or the pause before the next one."""

    __slots__ = ("_not_before_s", "_origin", "_pause_s", "reading")

    def __init__(self, origin: int) -> None:
        self._origin = origin
        self._pause_s = FIRST_PAUSE_S
        self._not_before_s = 0.0
        self.reading: Read | None = None

    def ask(self, applied: int, missing: int, settled: int, now_s: float) -> Read | None:
        """The read to start now, if `applied` is behind `missing`. It is open until `done` or `failed`.

        Only settled messages are read: an unsettled row may become visible later, and would be skipped.
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
