"""The life of one process of an origin: where its ids begin, and how far they may go. Pure.

A process of number k takes a session lock on k in the database, on the connection that writes, before anything else
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). PostgreSQL gives it only when the last
statement of the predecessor has ended: what that one was committing is visible then, or never will be.

The ids of the new process must be larger than all that the old one may have used. The rows do not say which those were:
with `deliver = "at_once"` clients hold positions that never became rows. So a process reserves ids ahead of the clock,
in the database, on the connection that holds the lock, and makes none beyond. A successor starts above the reservation;
its ids run ahead of the clock by what was left of it, which is little.

A process that loses that connection must take the lock again at once, and look whether the table of nodes still has
its epoch. If it does not get the lock, or another process has been there, it ends: its clients are told nothing of that
one's messages.
"""

from __future__ import annotations

from typing import Final

from chatd.cluster.core.vector import MS_SHIFT, latest_of

AHEAD_MS: Final = 2_000
_AHEAD: Final = AHEAD_MS << MS_SHIFT


def begin(origin: int, stored: int, reserved: int) -> int:
    """The epoch of a new process: an id of `origin` that is at least as large as both.

    `stored` is the greatest id of any origin in the database, `reserved` what the predecessor had reserved.
    """
    least = max(stored, reserved)
    latest = latest_of(origin, least)
    return latest if latest >= least else latest + (1 << MS_SHIFT)


class Reservation:
    """The ids that this process may make: up to `upto`."""

    __slots__ = ("_asked", "_origin", "upto")

    def __init__(self, origin: int, upto: int) -> None:
        self._origin = origin
        self._asked: int | None = None
        self.upto = upto

    def allows(self, message_id: int) -> bool:
        """Whether an id may be used. If not, the sender is told to try again: the database does not answer."""
        return message_id <= self.upto

    def ask(self, now_id: int) -> int | None:
        """What to write to the database, if half of the reservation is used up; open until `done`.

        `now_id` is an id of the present moment.
        """
        if self._asked is not None or now_id + _AHEAD // 2 < self.upto:
            return None
        self._asked = latest_of(self._origin, max(now_id + _AHEAD, self.upto))
        return self._asked

    def done(self, *, written: bool) -> None:
        """The database has answered. After a failure the row may be written all the same, which does no harm."""
        if written and self._asked is not None:
            self.upto = self._asked
        self._asked = None
