"""How many sockets each user has, on this node and on each other one. Pure. Rules N-12, N-20, N-40 and N-42.

    Here  [10, origin, epoch, begins, ends, {user: [sockets, is_admin]}]

A node tells what changed in a turn, and everything when another node asks (a Call), when the bus is back, and after a
frame that could not be published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Final, NamedTuple

import msgspec

from chatd.chat.events import MAX_USER_CHARS
from chatd.chat.messages.ids import MAX_NODE
from chatd.cluster.core.frame import Id

TAG: Final = 10
MAX_PEOPLE: Final = 5_000
"""In one message of the bus; the rest follows in the next."""

User = Annotated[str, msgspec.Meta(max_length=MAX_USER_CHARS)]
Sockets = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Of(NamedTuple):
    """What a user has on one node. No sockets: the user has left it."""

    sockets: Sockets
    is_admin: bool


NOTHING: Final = Of(0, False)


class Here(msgspec.Struct, array_like=True, tag=TAG, frozen=True, forbid_unknown_fields=True):
    """Users of a node, as its process of that `epoch` knows them.

    A complete list `begins` with one frame and `ends` with one; other frames are changes.
    """

    origin: Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
    epoch: Id
    begins: bool
    ends: bool
    people: Annotated[dict[User, Of], msgspec.Meta(max_length=MAX_PEOPLE)]


OnChange = Callable[[str, int], None]
"""Takes a user, and how many sockets more (or fewer) that one has on other nodes."""


def _ignore(_user: str, _news: int) -> None:
    pass


class People:
    """`wake` is called when there is something to tell. Of other nodes, `max_elsewhere` users are known at most."""

    def __init__(self, origin: int, epoch: int, wake: Callable[[], None], max_elsewhere: int) -> None:
        self.on_change: OnChange = _ignore
        self.on_met: Callable[[str, bool], None] = _ignore  # a user is on another node, and whether as an admin
        self.sockets = 0  # of this node
        self.excess = 0  # frames with users beyond the limit
        self._origin = origin
        self._epoch = epoch
        self._wake = wake
        self._max_elsewhere = max_elsewhere
        self._own: Counter[str] = Counter()
        self._own_admins: Counter[str] = Counter()
        self._changed: dict[str, None] = {}
        self._is_asked = True  # for everything
        self._elsewhere: dict[int, dict[str, Of]] = {}  # by node
        self._epochs: dict[int, int] = {}  # epoch of the process that reported, by node
        self._users_elsewhere = 0  # once for each node
        self._admins_elsewhere = 0  # likewise
        self._listed: dict[int, set[str]] = {}  # by node: users of a complete list that is still arriving

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
        """Another node does not know the users of this one."""
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
            ends = is_asked and not following
            yield Here(self._origin, self._epoch, begins, ends, {user: self._of(user) for user in some})
            some, begins = following, False

    def hear(self, here: Here) -> None:
        """Users that another node reports. Reports of its previous process are dropped."""
        self.forget_before(here.origin, here.epoch)
        self._epochs[here.origin] = here.epoch
        known = self._elsewhere.setdefault(here.origin, {})
        if here.begins:
            self._listed[here.origin] = set()
        taken = [self._set(known, user, of if of.sockets else NOTHING) for user, of in here.people.items()]
        self.excess += not all(taken)
        listed = self._listed.get(here.origin)
        if listed is not None:
            listed.update(here.people.keys() & known.keys())
            if here.ends:
                del self._listed[here.origin]
                for user in known.keys() - listed:
                    self._set(known, user, NOTHING)

    def forget_before(self, node: int, epoch: int) -> None:
        """The node's process is that of `epoch`: forget the users of earlier ones."""
        if self._epochs.get(node, epoch) != epoch:
            self.forget(node)

    def forget(self, node: int) -> None:
        """The node is down: forget its users."""
        self._epochs.pop(node, None)
        self._listed.pop(node, None)
        known = self._elsewhere.pop(node, {})
        for user in list(known):
            self._set(known, user, NOTHING)

    def _set(self, known: dict[str, Of], user: str, of: Of) -> bool:
        """Whether there was room for it."""
        before = known.get(user, NOTHING)
        if of.sockets and not before.sockets and self._users_elsewhere >= self._max_elsewhere:
            return False
        known[user] = of
        if not of.sockets:
            del known[user]
        self._users_elsewhere += bool(of.sockets) - bool(before.sockets)
        self._admins_elsewhere += of.is_admin - before.is_admin
        if of.sockets and (not before.sockets or of.is_admin != before.is_admin):
            self.on_met(user, of.is_admin)
        if of.sockets != before.sockets:
            self.on_change(user, of.sockets - before.sockets)
        return True

    def _change(self, user: str) -> None:
        self._changed[user] = None
        self._wake()

    def _of(self, user: str) -> Of:
        return Of(self._own[user], user in self._own_admins) if user in self._own else NOTHING
