"""The origin's own side: frames in which every message names the one before it."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from chatd.cluster.core.frame import MAX_ITEMS, News
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)

FRAME_BYTES: Final = 1_048_576
"""A frame is full when it holds so much; a message that is larger goes alone."""


class Publisher(Generic[T]):
    """What was said and is not on the bus yet, and how far the origin has come.

    A frame that could not be published is not repeated: its receivers find the gap, and the database fills it.
    """

    __slots__ = ("_last", "_published", "_queue", "_said", "_settled", "epoch", "origin")

    def __init__(self, origin: int, epoch: int) -> None:
        self.origin = origin
        self.epoch = epoch
        self._queue: deque[tuple[T, int]] = deque()
        self._published = self._said = self._settled = self._last = epoch

    def say(self, item: T, size_bytes: int) -> None:
        """A message, to be told with the next frame. Ids must grow, and be larger than any promise."""
        if item.id <= max(self._said, self._last):
            raise AssertionError(f"origin {self.origin} says {item.id} after {max(self._said, self._last)}")
        self._queue.append((item, size_bytes))
        self._said = item.id

    def settle(self, upto: int) -> None:
        """The database has committed the origin's messages up to that one, or has refused them for good."""
        self._settled = max(self._settled, upto)

    def flush(self) -> News[T] | None:
        """A frame of queued messages, at the end of a turn; call it until it returns None."""
        return self._frame(self._take()) if self._queue else None

    def beat(self, promise: int | None) -> News[T]:
        """A frame, whether or not there is anything to tell.

        `promise`: an id of this moment, smaller than that of each message that is not said yet; None if that cannot be
        promised. It moves every reader's entry to the present: positions stay short, and queries too.
        """
        items = self._take()
        if promise is not None and not self._queue:
            self._last = max(self._last, promise)
        return self._frame(items)

    def _take(self) -> list[T]:
        items: list[T] = []
        room = FRAME_BYTES
        while self._queue and len(items) < MAX_ITEMS and (not items or self._queue[0][1] <= room):
            item, size_bytes = self._queue.popleft()
            room -= size_bytes
            items.append(item)
        return items

    def _frame(self, items: list[T]) -> News[T]:
        prev = self._published
        if items:
            self._published = items[-1].id
        self._last = max(self._last, self._published)
        if self._settled >= self._said:
            self._settled = self._last
        return News(self.origin, self.epoch, prev, self._last, min(self._settled, self._last), items)
