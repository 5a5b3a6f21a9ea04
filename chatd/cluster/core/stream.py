"""One origin as one node sees it: how far it is applied, what waits behind a gap, what to ask of the database."""

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
    """Everything of the origin up to `applied` was delivered here, and nothing above.

    `told` is the last message that the origin is known to have told; `settled` is known to be in the database, or never
    to be. What a call returns is to be delivered, in that order.
    """

    __slots__ = ("applied", "epoch", "heal", "held", "settled", "tail", "told")

    def __init__(self, origin: int, applied: int) -> None:
        """`applied`: up to there the node owes nothing to other nodes."""
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
        """How many messages were told and are not applied, at least: how many a gap has is not known."""
        return self.held.messages + 1 if self.is_behind else 0

    def begin(self, epoch: int) -> None:
        """The origin has a new process. What the old one told and did not store will never be stored."""
        self.epoch = self.told = epoch
        self.held.clear()
        self.tail.clear()
        self.settle(epoch)

    def on_news(self, news: News[T], size_bytes: int) -> list[T]:
        """A frame came, however late, however often. Returns what it makes deliverable."""
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
        """The database has nothing but `rows` between what was applied when it was asked and `upto`, and never will.

        Returns those that are new here, and what waited behind them.
        """
        new = [row for row in rows if row.id > self.applied]
        self.settle(upto)
        self._apply(new, upto)
        return new + self._follow()

    def say(self, item: T) -> None:
        """The node's own message, which it delivers itself."""
        self.told = item.id
        self._apply([item], item.id)

    def settle(self, upto: int) -> None:
        if upto > self.settled:
            self.settled = upto
            self.tail.settle(upto)

    def ask(self, now_s: float) -> Read | None:
        """What to read now, if anything is missing that the database must have."""
        first = self.held.first
        missing = self.told if first is None else first.prev
        return self.heal.ask(self.applied, missing, self.settled, now_s)

    def _apply(self, items: Sequence[T], upto: int) -> None:
        self.applied = max(self.applied, upto)
        self.tail.keep(items, self.settled)

    def _follow(self) -> list[T]:
        """What was held and has nothing missing before it any more."""
        released: list[T] = []
        while (first := self.held.first) is not None:
            linked = link(self.applied, first)
            if linked is None:
                break
            self.held.pop()
            self._apply(linked, first.last)
            released += linked
        return released
