"""Frames of one origin that wait after a gap, in the order of arrival. Limited by number and bytes.

A frame beyond the limit is dropped: it counts as lost, and the chain detects the gap.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from chatd.cluster.core.frame import News
from chatd.cluster.core.vector import Identified

T = TypeVar("T", bound=Identified)

MAX_HELD_FRAMES: Final = 1_024
MAX_HELD_BYTES: Final = 8_388_608


class Held(Generic[T]):
    """A queue of frames, each with its size on the wire in bytes."""

    __slots__ = ("_bytes", "_frames", "refused")

    def __init__(self) -> None:
        self._frames: deque[tuple[News[T], int]] = deque()
        self._bytes = 0
        self.refused = 0  # frames dropped because of the limit

    @property
    def first(self) -> News[T] | None:
        return self._frames[0][0] if self._frames else None

    @property
    def messages(self) -> int:
        return sum(len(news.items) for news, _ in self._frames)

    def add(self, news: News[T], size_bytes: int) -> None:
        if len(self._frames) >= MAX_HELD_FRAMES or self._bytes + size_bytes > MAX_HELD_BYTES:
            self.refused += 1
            return
        self._frames.append((news, size_bytes))
        self._bytes += size_bytes

    def pop(self) -> None:
        """Remove the first frame."""
        self._bytes -= self._frames.popleft()[1]

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0
