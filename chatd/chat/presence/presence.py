"""Who is here: from a user's first socket until the last one has been gone for a while. Rules C-44 to C-46.

A page that is loaded again leaves and comes back; the grace time in between is the one timer that a user ever has, and
only while there is no socket. How admins hear of it is in news.py, how they ask for all of it in connected.py.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from chatd.base.timers import Timers


class Witness(Protocol):
    """The part of a store that remembers when a user was last seen."""

    def saw(self, user: str, fecha_ms: int) -> None: ...


class Online:
    """A user online since `since_ms`. Its deadline is the end of the grace time."""

    __slots__ = ("_presence", "due_tick", "seen_ms", "since_ms", "sockets", "user")

    def __init__(self, presence: Presence, user: str, since_ms: int) -> None:
        self.due_tick = 0
        self._presence = presence
        self.user = user
        self.since_ms = since_ms
        self.seen_ms = since_ms  # when it last came or went
        self.sockets = 0

    def on_deadline(self) -> None:
        self._presence.on_gone(self)


Tell = Callable[[str, bool, int], None]
"""Takes a user, whether that one is here, and when that one was last seen, in milliseconds since 1970."""


class Presence:
    """All users online, including admins. `clock_ms` returns milliseconds since 1970."""

    def __init__(
        self, grace_s: float, timers: Timers, witness: Witness, clock_ms: Callable[[], int], tell: Tell
    ) -> None:
        self._grace_s = grace_s
        self._timers = timers
        self._witness = witness
        self._clock_ms = clock_ms
        self._tell = tell
        self._online: dict[str, Online] = {}
        self._names: list[str] = []  # sorted, for pages; to keep it so takes 1 µs at 10,000

    def __len__(self) -> int:
        return len(self._online)

    def __iter__(self) -> Iterator[str]:
        return iter(self._online)

    def came(self, user: str, sockets: int = 1) -> None:
        """So many more sockets of `user`."""
        online = self._online.get(user)
        if online is None:
            online = self._online[user] = Online(self, user, self._clock_ms())
            bisect.insort(self._names, user)
            self._saw(user, online.since_ms)
            self._tell(user, True, online.since_ms)
        elif not online.sockets:
            self._timers.cancel(online)
        online.sockets += sockets

    def left(self, user: str, sockets: int = 1) -> None:
        """So many sockets of `user` less."""
        online = self._online[user]
        online.sockets -= sockets
        if not online.sockets:
            # Stored now and not after the grace time, which a daemon that is stopping does not have.
            online.seen_ms = self._clock_ms()
            self._saw(user, online.seen_ms)
            self._timers.arm(online, self._grace_s)

    def on_gone(self, online: Online) -> None:
        """Called when the grace time of a user is over."""
        del self._online[online.user]
        del self._names[bisect.bisect_left(self._names, online.user)]
        self._tell(online.user, False, online.seen_ms)

    def _saw(self, user: str, fecha_ms: int) -> None:
        self._witness.saw(user, fecha_ms)

    def find(self, user: str) -> Online | None:
        """`user`, if that one is here."""
        return self._online.get(user)

    def page(self, after: str, limit: int) -> tuple[list[Online], bool]:
        """Up to `limit` users, sorted by name, that come after the name `after`; and whether there are more."""
        start = bisect.bisect_right(self._names, after) if after else 0
        names = islice(self._names, start, start + limit)
        return [self._online[name] for name in names], start + limit < len(self._names)
