"""Which cids a user has given to messages, as far as that is needed. Pure. Rule C-23."""

from __future__ import annotations

import enum
from collections.abc import Collection

from chatd.store.base import MAX_CIDS


class Knowledge(enum.Enum):
    """What we know of the cids that one user has in the database. ASKED: they are being read."""

    NOTHING, ASKED, ALL, TOO_MANY = "nothing", "asked", "all", "too many"


class Cids:
    """The cids of one user that may be in the database.

    Exact where it matters: a cid is called new only if there is no row with it. For that, every cid is to be added
    before its row can be written, from the first one on, and also while the database is being read.
    """

    __slots__ = ("_cids", "knowledge")

    def __init__(self) -> None:
        self.knowledge = Knowledge.NOTHING
        self._cids: set[str] = set()

    def __len__(self) -> int:
        return len(self._cids)

    def is_new(self, cid: str) -> bool:
        return self.knowledge is Knowledge.ALL and cid not in self._cids

    def add(self, cid: str) -> int:
        """A row with `cid` is about to be written, and may be there from now on, whatever becomes of the attempt.

        Returns by how much `len` has grown, which is less than nothing when they have become too many.
        """
        if self.knowledge is Knowledge.TOO_MANY:
            return 0
        before = len(self._cids)
        self._cids.add(cid)
        self._check_size()
        return len(self._cids) - before

    def ask(self) -> None:
        """All of them are being read from the database."""
        self.knowledge = Knowledge.ASKED

    def learn(self, durable: Collection[str] | None) -> int:
        """What was read: all that the database has, None for too many. Returns as `add`."""
        before = len(self._cids)
        if durable is None:
            self._forget()
        elif self.knowledge is Knowledge.ASKED:
            self.knowledge = Knowledge.ALL
            self._cids.update(durable)
            self._check_size()
        return len(self._cids) - before

    def learn_nothing(self) -> None:
        """The database could not be read."""
        if self.knowledge is Knowledge.ASKED:
            self.knowledge = Knowledge.NOTHING

    def _check_size(self) -> None:
        if len(self._cids) > MAX_CIDS:
            self._forget()

    def _forget(self) -> None:
        self.knowledge = Knowledge.TOO_MANY
        self._cids.clear()
