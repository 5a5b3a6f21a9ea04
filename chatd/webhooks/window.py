"""What a hook has read of the log and not finished: how far all is done, and what is to be sent next. No I/O.

A position can go no further than the first event that is not done, so what is read ahead is bounded.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from chatd.store.base import Message
from chatd.store.positions import Position
from chatd.webhooks.events import Event

MAX_ITEMS: Final = 256


class Item:
    """One entry of the log; without an `event` there is nothing to send."""

    __slots__ = ("done", "event", "fecha", "id", "log", "refusals", "tries")

    def __init__(self, log: int, message: Message, event: Event | None) -> None:
        self.log = log
        self.id = message.id
        self.fecha = message.fecha
        self.event = event
        self.done = event is None
        self.tries = 0  # in a row that did not reach the receiver, or that it refused
        self.refusals = 0


class Window:
    """`position` is how far everything is done."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.read = dict(position)
        self.lines: dict[str, deque[Item]] = {}
        self._items: deque[Item] = deque()

    @property
    def room(self) -> int:
        return MAX_ITEMS - len(self._items)

    @property
    def is_empty(self) -> bool:
        return not self._items

    @property
    def unfinished(self) -> int:
        """Events that are not done."""
        return sum(map(len, self.lines.values()))

    @property
    def oldest_ms(self) -> int | None:
        """The `fecha` of the first that is not done."""
        return next((item.fecha for item in self._items if not item.done), None)

    def add(self, item: Item) -> bool:
        """Whether its conversation has no other, so that somebody must begin with it."""
        self.read[item.log] = item.id
        self._items.append(item)
        if item.event is None:
            return False
        line = self.lines.setdefault(item.event.con, deque())
        line.append(item)
        return len(line) == 1

    def finish(self, item: Item) -> bool:
        """It is delivered, or set aside. Whether its conversation has another."""
        item.done = True
        if item.event is None:
            return False
        line = self.lines[item.event.con]
        line.popleft()
        if not line:
            del self.lines[item.event.con]
        return bool(line)

    def advance(self) -> bool:
        """Move the position over what is done: whether it has moved."""
        moved = False
        while self._items and self._items[0].done:
            item = self._items.popleft()
            self.position[item.log] = item.id
            moved = True
        return moved
