"""What a hook has read of the log and not finished: how far all is done. No I/O.

A position can go no further than the first event that is not done, so what is read ahead is bounded.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from chatd.store.positions import Position
from chatd.webhooks.lines import Item

MAX_ITEMS: Final = 256


class Window:
    """`position` is how far everything is done."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.read = dict(position)
        self._items: deque[Item] = deque()

    @property
    def room(self) -> int:
        return MAX_ITEMS - len(self._items)

    @property
    def is_empty(self) -> bool:
        return not self._items

    def add(self, item: Item) -> None:
        self.read[item.log] = item.id
        self._items.append(item)

    def advance(self) -> bool:
        """Move the position over what is done: whether it has moved."""
        moved = False
        while self._items and self._items[0].done:
            item = self._items.popleft()
            self.position[item.log] = item.id
            moved = True
        return moved
