"""The epoch of an origin's process: where its ids begin, and the reservation of its ids. Pure.

A process of node k first takes a session lock on k in the database, on the writing connection
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). PostgreSQL grants it only after the last
statement of the previous process has ended: its commit is visible then, or never will be.

The ids of the new process must be greater than all ids that the old one may have used. The rows do not tell: with
`deliver = "at_once"` clients may have positions of messages without rows. So a process reserves ids ahead of the clock,
in the database, on the connection with the lock, and makes no id beyond. The next process starts above the reservation;
its ids are ahead of the clock by the unused rest, at most AHEAD_MS or so.

A process that loses that connection must take the lock again at once, and check that the table of nodes still has its
epoch. If it does not get the lock, or another process has had the number, it ends, because its clients would miss the
messages of the other process.
"""

from __future__ import annotations

from typing import Final

from chatd.cluster.core.vector import MS_SHIFT, latest_of

AHEAD_MS: Final = 2_000
_AHEAD: Final = AHEAD_MS << MS_SHIFT


def begin(origin: int, stored: int, reserved: int) -> int:
    """The epoch of a new process: an id of `origin` that is at least as great as `stored` and `reserved`.

    `stored`: the greatest id of any origin in the database. `reserved`: the reservation of the previous process.
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
        """Whether an id may be used. If not, the sender must try again: the reservation is not extended yet."""
        return message_id <= self.upto

    def ask(self, now_id: int) -> int | None:
        """The reservation to write to the database, if half of the current one is used up; open until `done`.

        `now_id`: an id of the present time.
        """
        if self._asked is not None or now_id + _AHEAD // 2 < self.upto:
            return None
        self._asked = latest_of(self._origin, max(now_id + _AHEAD, self.upto))
        return self._asked

    def done(self, *, written: bool) -> None:
        """The database has answered. After a failure the row may still be written, which is harmless."""
        if written and self._asked is not None:
            self.upto = self._asked
        self._asked = None
