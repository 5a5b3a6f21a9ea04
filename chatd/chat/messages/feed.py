"""What was delivered: how far, and its last messages while a client catches up. Rules C-30 and C-31.

Messages are delivered in the order of their ids (C-16). So the id of the last one is a position: everything that was
delivered has an id up to it, everything that will be has a larger one.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from chatd.engineio.outgoing import Outgoing
from chatd.store.base import Message, MessageId

# Messages kept while a client catches up; one that falls behind them reads from the database again.
MAX_KEPT: Final = 4_096
MAX_KEPT_BYTES: Final = 8_388_608


class Delivered(NamedTuple):
    """A message, and the frame that all recipients got."""

    message: Message
    packet: Outgoing


class Feed:
    """One for the chat. To deliver a message, set `position` and, if there are `watchers`, call `keep`.

    It is not one call, because nothing is as frequent, and mostly there is no watcher.
    """

    __slots__ = ("_kept", "_kept_after", "_kept_bytes", "listeners", "position", "start", "watchers")

    def __init__(self, start: MessageId) -> None:
        """`start` is the greatest id that was stored before this process, or 0."""
        self.start = start
        self.position = start
        self.watchers = 0
        self.listeners: list[Callable[[Message], None]] = []  # told of every delivery, in its turn
        self._kept: list[Delivered] = []
        self._kept_after = start  # everything that was delivered with a larger id is kept
        self._kept_bytes = 0

    def watch(self) -> None:
        """From now on, what is delivered is kept, until as many `unwatch`."""
        if not self.watchers:
            self._kept_after = self.position
        self.watchers += 1

    def unwatch(self) -> None:
        self.watchers -= 1
        if not self.watchers:
            self._kept.clear()
            self._kept_bytes = 0

    def reaches(self, position: MessageId) -> bool:
        """Whether everything after `position` is kept."""
        return self.watchers > 0 and position >= self._kept_after

    def after(self, position: MessageId) -> Sequence[Delivered]:
        """What is kept and comes after `position`, in order."""
        first = bisect.bisect_right(self._kept, position, key=lambda one: one.message.id)
        return self._kept[first:]

    def keep(self, message: Message, packet: Outgoing) -> None:
        """It was delivered, and a client that catches up will ask for it."""
        self._kept.append(Delivered(message, packet))
        self._kept_bytes += len(packet.frame)
        if len(self._kept) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            self._drop((len(self._kept) + 1) // 2)

    def _drop(self, count: int) -> None:
        """Half at a time, so that it costs little each time."""
        dropped = self._kept[:count]
        del self._kept[:count]
        self._kept_after = dropped[-1].message.id
        self._kept_bytes -= sum(len(one.packet.frame) for one in dropped)
