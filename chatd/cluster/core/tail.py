"""Messages that were applied but are not settled: for a reconnecting client they have no row in the database yet.

Empty with `deliver = "stored"`. With "at_once" it holds the messages that wait for the origin's commit; the origin's
queue to the database limits their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)


class Tail(Generic[T]):
    """The messages of one origin, in the order of their ids."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: deque[T] = deque()

    def keep(self, applied: Iterable[T], settled: int) -> None:
        """Add applied messages, except those up to `settled`, which have a row or never will."""
        self.items.extend(item for item in applied if item.id > settled)

    def settle(self, settled: int) -> None:
        """Remove the messages that are settled now."""
        while self.items and self.items[0].id <= settled:
            self.items.popleft()

    def clear(self) -> None:
        """The epoch has ended: its messages are committed or never will be."""
        self.items.clear()
