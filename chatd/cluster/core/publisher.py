"""The sending side of an origin: frames that name the message before them."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from chatd.cluster.core.frame import MAX_ITEMS, News
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)

FRAME_BYTES: Final = 1_048_576
"""The size limit of a frame; a larger message is sent alone."""


class Publisher(Generic[T]):
    """The queue of messages to publish, and the position of the origin.

    A frame that could not be published is not repeated: receivers detect the gap and read the database.
    """

    __slots__ = ("_last", "_published", "_queue", "_said", "_settled", "epoch", "origin")

    def __init__(self, origin: int, epoch: int) -> None:
        self.origin = origin
        self.epoch = epoch
        self._queue: deque[tuple[T, int]] = deque()
        self._published = self._said = self._settled = self._last = epoch

    def say(self, item: T, size_bytes: int) -> None:
        """Queue a message for the next frame. Ids must grow, and be greater than every promise (see `beat`)."""
        if item.id <= max(self._said, self._last):
            raise AssertionError(f"origin {self.origin} says {item.id} after {max(self._said, self._last)}")
        self._queue.append((item, size_bytes))
        self._said = item.id

    def settle(self, upto: int) -> None:
        """The database has committed the origin's messages up to `upto`, or never will."""
        self._settled = max(self._settled, upto)

    def flush(self) -> News[T] | None:
        """A frame of queued messages, at the end of a turn; call it until it returns None."""
        return self._frame(self._take()) if self._queue else None

    def beat(self, promise: int | None) -> News[T]:
        """A frame, also without messages.

        `promise`: an id of the present time that is smaller than those of all later messages; None if that cannot be
        promised. It advances the entry of every reader to the present, which keeps positions and queries short.
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
