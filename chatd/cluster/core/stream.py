"""The state of one origin at one node: its applied id, the frames after a gap, the reads from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from chatd.cluster.core.chain import link
from chatd.cluster.core.frame import News
from chatd.cluster.core.heal import Heal, Read
from chatd.cluster.core.held import Held
from chatd.cluster.core.tail import Tail
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)


class Stream(Generic[T]):
    """All messages of the origin up to `applied` were delivered here, and none above.

    `told`: the last message that the origin is known to have published. `settled`: messages up to it are in the
    database, or never will be. Methods return the messages to deliver, in order.
    """

    __slots__ = ("applied", "epoch", "heal", "held", "settled", "tail", "told")

    def __init__(self, origin: int, applied: int) -> None:
        """`applied`: messages up to this id need not be delivered here."""
        self.applied = applied
        self.epoch = 0
        self.told = 0
        self.settled = 0
        self.tail: Tail[T] = Tail()
        self.held: Held[T] = Held()
        self.heal = Heal(origin)

    @property
    def is_behind(self) -> bool:
        return self.told > self.applied

    @property
    def missing(self) -> int:
        """The least number of messages that were published and are not applied; the size of a gap is unknown."""
        return self.held.messages + 1 if self.is_behind else 0

    def begin(self, epoch: int) -> None:
        """The origin has a new process. Messages that the old one published and did not store are lost."""
        self.epoch = self.told = epoch
        self.held.clear()
        self.tail.clear()
        self.settle(epoch)

    def on_news(self, news: News[T], size_bytes: int) -> list[T]:
        """A frame arrived, perhaps late or repeated. Returns the messages to deliver."""
        if news.epoch < self.epoch:
            return []
        if news.epoch > self.epoch:
            self.begin(news.epoch)
        self.told = max(self.told, news.items[-1].id if news.items else news.prev)
        self.settle(news.settled)
        linked = link(self.applied, news)
        if linked is None:
            if news.items:
                self.held.add(news, size_bytes)
            return []
        self._apply(linked, news.last)
        return linked + self._follow()

    def on_rows(self, rows: Iterable[T], upto: int) -> list[T]:
        """`rows` are all messages of the origin that will ever be in the database after `applied` and up to `upto`.

        Returns those that are new here, and the held messages after them.
        """
        new = [row for row in rows if row.id > self.applied]
        self.settle(upto)
        self._apply(new, upto)
        return new + self._follow()

    def say(self, item: T) -> None:
        """A message of this node, which the node delivers itself."""
        self.told = item.id
        self._apply([item], item.id)

    def settle(self, upto: int) -> None:
        if upto > self.settled:
            self.settled = upto
            self.tail.settle(upto)

    def ask(self, now_s: float) -> Read | None:
        """The read to start now, if messages are missing that the database must have."""
        first = self.held.first
        missing = self.told if first is None else first.prev
        return self.heal.ask(self.applied, missing, self.settled, now_s)

    def _apply(self, items: Sequence[T], upto: int) -> None:
        self.applied = max(self.applied, upto)
        self.tail.keep(items, self.settled)

    def _follow(self) -> list[T]:
        """The held messages that have no gap before them any more."""
        released: list[T] = []
        while (first := self.held.first) is not None:
            linked = link(self.applied, first)
            if linked is None:
                break
            self.held.pop()
            self._apply(linked, first.last)
            released += linked
        return released
