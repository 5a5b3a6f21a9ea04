"""Who is here, on any node: to this one, each user of another node is one more socket. Rule N-12.

    Here  [4, origin, whole, {user: is_admin, or null for one who has gone}]

A node tells what changed in a turn; and all there is when another asks (a Call), or when the bus is back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, Final

import msgspec

from chatd.chat.ids import MAX_NODE
from chatd.chat.presence import Presence

TAG: Final = 4
MAX_PEOPLE: Final = 5_000
"""In one message of the bus; the rest follows in the next."""


class Here(msgspec.Struct, array_like=True, tag=TAG, frozen=True, forbid_unknown_fields=True):
    """Users of a node, or what has changed. `whole`: who is not in it has gone."""

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    whole: bool
    people: Annotated[dict[str, bool | None], msgspec.Meta(max_length=MAX_PEOPLE)]


class NodePresence(Presence):
    """`wake` is called when there is something to tell."""

    def __init__(self, origin: int, wake: Callable[[], None], *parts: Any) -> None:
        super().__init__(*parts)
        self._origin = origin
        self._wake = wake
        self._sockets: Counter[str] = Counter()  # of this node
        self._admin_sockets: Counter[str] = Counter()
        self._changed: dict[str, None] = {}
        self._is_asked = True  # for all of it
        self._elsewhere: dict[int, dict[str, bool]] = {}  # by node: its users, and whether they are admins

    def is_admin_elsewhere(self, user: str) -> bool:
        return any(people.get(user, False) for people in self._elsewhere.values())

    def has_admin_elsewhere(self) -> bool:
        return any(is_admin for people in self._elsewhere.values() for is_admin in people.values())

    def joined(self, user: str, *, is_admin: bool) -> None:
        """A socket of this node."""
        self._sockets[user] += 1
        self._admin_sockets[user] += is_admin
        self.came(user)
        self._change(user)

    def parted(self, user: str, *, is_admin: bool) -> None:
        """One that was `joined`."""
        self.left(user)
        for counter, count in ((self._sockets, 1), (self._admin_sockets, int(is_admin))):
            counter[user] -= count
            if not counter[user]:
                del counter[user]
        self._change(user)

    def ask(self) -> None:
        """Another node does not know who is here."""
        self._is_asked = True
        self._wake()

    def news(self) -> Iterator[Here]:
        """What is to be told at the end of a turn."""
        changed, self._changed = self._changed, {}
        is_asked, self._is_asked = self._is_asked, False
        people = iter(list(self._sockets) if is_asked else changed)
        first = is_asked
        while (some := list(islice(people, MAX_PEOPLE))) or first:
            yield Here(self._origin, first, {user: self._flag(user) for user in some})
            first = False

    def hear(self, here: Here) -> None:
        """What another node tells."""
        known = self._elsewhere.setdefault(here.origin, {})
        gone = [user for user, flag in here.people.items() if flag is None]
        if here.whole:
            gone += known.keys() - here.people.keys()
        for user, flag in here.people.items():
            if flag is not None:
                if user not in known:
                    self.came(user)
                known[user] = flag
        for user in gone:
            if known.pop(user, None) is not None:
                self.left(user)

    def forget(self, node: int) -> None:
        """It is gone, and its users with it."""
        for user in self._elsewhere.pop(node, ()):
            self.left(user)

    def _saw(self, user: str, fecha_ms: int) -> None:
        """Who is on another node is seen by that one."""
        if user in self._sockets:
            super()._saw(user, fecha_ms)

    def _change(self, user: str) -> None:
        self._changed[user] = None
        self._wake()

    def _flag(self, user: str) -> bool | None:
        return user in self._admin_sockets if user in self._sockets else None
