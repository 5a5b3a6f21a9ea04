"""Events on their way, in order for each conversation. No I/O. Rule W-04."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from chatd.store.positions import WHOLE
from chatd.webhooks.events import Event


class Origin(Protocol):
    """Where events come from: it remembers what became of them. Both calls raise StoreError."""

    async def on_taken(self, item: Item, event: Event) -> None: ...

    async def on_set_aside(self, item: Item, event: Event) -> None: ...


class Item:
    """One event, or an entry of the log about which the hook is told nothing."""

    __slots__ = ("done", "event", "fecha", "id", "log", "origin", "refusals", "tries")

    def __init__(self, origin: Origin, item_id: int, fecha: int, event: Event | None, log: int = WHOLE) -> None:
        self.origin = origin
        self.log = log
        self.id = item_id
        self.fecha = fecha
        self.event = event
        self.done = event is None
        self.tries = 0  # in a row that did not reach the receiver, or that it refused
        self.refusals = 0


class Lines:
    """What is not done of each conversation, the first in front."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Item]] = {}

    def __len__(self) -> int:
        """Events that are not done."""
        return sum(map(len, self._lines.values()))

    @property
    def oldest_ms(self) -> int | None:
        """The smallest `fecha` of those in front."""
        return min((line[0].fecha for line in self._lines.values()), default=None)

    def add(self, item: Item) -> bool:
        """Whether there is something to send, and no other is in front of it: then its delivery must begin."""
        if item.event is None:
            return False
        line = self._lines.setdefault(item.event.con, deque())
        line.append(item)
        return len(line) == 1

    def finish(self, item: Item) -> Item | None:
        """It is delivered, or set aside: what comes next in its conversation."""
        item.done = True
        if item.event is None:
            return None
        line = self._lines[item.event.con]
        line.popleft()
        if line:
            return line[0]
        del self._lines[item.event.con]
        return None
