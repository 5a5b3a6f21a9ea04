"""The messages of honest clients: when each was due, sent, received and acknowledged, and all faults. Pure, except for
the event that is set while nothing is missing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Letter:
    """The times of a message in seconds of the monotonic clock; 0 if it has not happened."""

    para: str
    due: float
    sent: float
    heard: float = 0.0
    acknowledged: float = 0.0


@dataclass(slots=True)
class Post:
    """All messages of one phase, by number. `complete` is set while each is received and acknowledged."""

    letters: dict[int, Letter] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    _missing: int = 0
    _newest: dict[tuple[str, str], int] = field(default_factory=dict)  # by sender and recipient

    def send(self, number: int, letter: Letter) -> None:
        self.letters[number] = letter
        self._missing += 2
        self.complete.clear()

    def hear(self, by: str, de: str, number: int, now: float) -> None:
        """Record a message; those of another phase, and those to every admin, are ignored."""
        letter = self.letters.get(number)
        if letter is None or letter.para != by:
            return
        if letter.heard:
            self.faults.append(f"message {number} came twice")
            return
        if self._newest.get((de, by), -1) > number:
            self.faults.append(f"message {number} came behind a later one")
        self._newest[de, by] = number
        letter.heard = now
        self._found()

    def acknowledge(self, number: int, answer: str, now: float) -> None:
        letter = self.letters.get(number)
        if letter is None:
            return
        if letter.acknowledged:
            self.faults.append(f"message {number} was acknowledged twice")
            return
        if '"ok":true' not in answer:
            self.faults.append(f"message {number} was refused: {answer[:200]}")
        letter.acknowledged = now
        self._found()

    def lost(self) -> list[str]:
        """All messages that are missing, and every other fault."""
        unheard = (number for number, letter in self.letters.items() if not letter.heard)
        silent = (number for number, letter in self.letters.items() if not letter.acknowledged)
        return [
            *self.faults,
            *(f"message {number} never came" for number in unheard),
            *(f"message {number} was never acknowledged" for number in silent),
        ]

    def _found(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self.complete.set()
