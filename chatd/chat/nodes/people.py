"""How many sockets each user has, on this node and on each other one. Pure. Rules N-12 and N-20.

    Here  [10, origin, begins, ends, {user: [sockets, is_admin]}]

A node tells what changed in a turn, and everything when another node asks (a Call), when the bus is back, and after a
frame that could not be published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Final, NamedTuple

import msgspec

from chatd.chat.messages.ids import MAX_NODE

TAG: Final = 10
MAX_PEOPLE: Final = 5_000
"""In one message of the bus; the rest follows in the next."""

Sockets = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Of(NamedTuple):
    """What a user has on one node. No sockets: the user has left it."""

    sockets: Sockets
    is_admin: bool


NOTHING: Final = Of(0, False)


class Here(msgspec.Struct, array_like=True, tag=TAG, frozen=True, forbid_unknown_fields=True):
    """Users of a node. A complete list `begins` with one frame and `ends` with one; other frames are changes."""

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    begins: bool
    ends: bool
    people: Annotated[dict[str, Of], msgspec.Meta(max_length=MAX_PEOPLE)]


OnChange = Callable[[str, int], None]
"""Takes a user, and how many sockets more (or fewer) that one has on other nodes."""


def _ignore(_user: str, _change: int) -> None:
    pass


class People:
    """`wake` is called when there is something to tell."""

    def __init__(self, origin: int, wake: Callable[[], None]) -> None:
        self.on_change: OnChange = _ignore
        self.sockets = 0  # of this node
        self._origin = origin
        self._wake = wake
        self._own: Counter[str] = Counter()
        self._own_admins: Counter[str] = Counter()
        self._changed: dict[str, None] = {}
        self._is_asked = True  # for everything
        self._elsewhere: dict[int, dict[str, Of]] = {}  # by node
        self._admins_elsewhere = 0  # once for each node
        self._listed: dict[int, set[str]] = {}  # by node: who was named in a complete list that has not ended

    def __len__(self) -> int:
        """Users of this node."""
        return len(self._own)

    def __contains__(self, user: str) -> bool:
        """Whether `user` has a socket of this node."""
        return user in self._own

    def is_admin_elsewhere(self, user: str) -> bool:
        return any(people.get(user, NOTHING).is_admin for people in self._elsewhere.values())

    def has_admin_elsewhere(self) -> bool:
        return self._admins_elsewhere > 0

    def sockets_on(self, nodes: Iterable[int], user: str) -> int:
        """How many sockets `user` has on those other nodes."""
        return sum(self._elsewhere.get(node, {}).get(user, NOTHING).sockets for node in nodes)

    def joined(self, user: str, *, is_admin: bool) -> None:
        """A socket of this node."""
        self.sockets += 1
        self._own[user] += 1
        if is_admin:
            self._own_admins[user] += 1
        self._change(user)

    def parted(self, user: str, *, is_admin: bool) -> None:
        """One that was `joined`."""
        self.sockets -= 1
        for counter in (self._own, self._own_admins) if is_admin else (self._own,):
            counter[user] -= 1
            if not counter[user]:
                del counter[user]
        self._change(user)

    def ask(self) -> None:
        """Another node does not know who is here."""
        self._is_asked = True
        self._wake()

    def news(self) -> Iterator[Here]:
        """What to tell at the end of a turn."""
        changed, self._changed = self._changed, {}
        is_asked, self._is_asked = self._is_asked, False
        if not is_asked and not changed:
            return
        people = iter(list(self._own) if is_asked else changed)
        some = list(islice(people, MAX_PEOPLE))
        begins = is_asked
        while some or begins:
            following = list(islice(people, MAX_PEOPLE))
            yield Here(self._origin, begins, is_asked and not following, {user: self._of(user) for user in some})
            some, begins = following, False

    def hear(self, here: Here) -> None:
        """What another node tells."""
        known = self._elsewhere.setdefault(here.origin, {})
        if here.begins:
            self._listed[here.origin] = set()
        for user, of in here.people.items():
            self._set(known, user, of if of.sockets else NOTHING)
        listed = self._listed.get(here.origin)
        if listed is not None:
            listed.update(here.people)
            if here.ends:
                del self._listed[here.origin]
                for user in known.keys() - listed:
                    self._set(known, user, NOTHING)

    def forget(self, node: int) -> None:
        """It is gone, and its users with it."""
        self._listed.pop(node, None)
        known = self._elsewhere.pop(node, {})
        for user in list(known):
            self._set(known, user, NOTHING)

    def _set(self, known: dict[str, Of], user: str, of: Of) -> None:
        before = known.pop(user, NOTHING)
        if of.sockets:
            known[user] = of
        self._admins_elsewhere += of.is_admin - before.is_admin
        if of.sockets != before.sockets:
            self.on_change(user, of.sockets - before.sockets)

    def _change(self, user: str) -> None:
        self._changed[user] = None
        self._wake()

    def _of(self, user: str) -> Of:
        return Of(self._own[user], user in self._own_admins) if user in self._own else NOTHING
