"""Messages that were applied and are not settled: a client that comes back finds no row of them yet.

Empty with `deliver = "stored"`. With "at_once" it is as long as what waits for the origin's commit, which the origin's
own queue to the database bounds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)


class Tail(Generic[T]):
    """Of one origin, in the order of the ids."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: deque[T] = deque()

    def keep(self, applied: Iterable[T], settled: int) -> None:
        """Messages were applied; those up to `settled` have their row, or never will."""
        self.items.extend(item for item in applied if item.id > settled)

    def settle(self, settled: int) -> None:
        """Release the messages that are settled now."""
        while self.items and self.items[0].id <= settled:
            self.items.popleft()

    def clear(self) -> None:
        """The epoch is over: all that will ever be committed of it is."""
        self.items.clear()
