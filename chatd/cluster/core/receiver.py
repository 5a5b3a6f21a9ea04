"""A reconnecting socket: it gets missed messages, then those of the meantime, then live ones; each once.

The node calls `live` for these sockets only. A socket that has caught up, and whose floor is reached, needs no receiver
any more: it gets the same bytes as the other sockets of its room.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from chatd.cluster.core.floor import Floor
from chatd.cluster.core.replay import Delivery, Missing, Replay
from chatd.cluster.core.vector import Identified, Vector

T = TypeVar("T", bound=Identified)

MAX_WAITING: Final = 1_000


class Receiver(Generic[T]):
    """The state of such a socket until it has caught up."""

    __slots__ = ("_floor", "_is_like_others", "_overflowed", "_position", "_replay", "_waiting")

    def __init__(self, position: Vector) -> None:
        """`position`: as sent by the client. Call `begin` in the same turn."""
        self._position = position
        self._floor = Floor(position)
        self._replay: Replay[T] | None = None
        self._waiting: list[Delivery[T]] = []
        self._overflowed = False
        self._is_like_others = False

    @property
    def position(self) -> Vector:
        """The position of the client after everything that was sent to it."""
        return self._position

    @property
    def missing(self) -> Missing | None:
        """The messages to read from the database; None if there are none."""
        return None if self._replay is None else self._replay.missing

    @property
    def is_like_others(self) -> bool:
        """Whether the socket needs no receiver any more, after `end` and after the last message passed to `live`.

        The node's vector cannot tell: it may be ahead of that message, if the node applied several at once.
        """
        return self._replay is None and self._is_like_others

    def begin(self, replay: Replay[T]) -> None:
        """Start a replay; live messages wait from now on."""
        self._replay = replay
        self._waiting.clear()
        self._overflowed = False

    def page(self, rows: Iterable[T], upto: int) -> list[Delivery[T]]:
        """The messages to send for `rows`, the answer of the database to `missing` up to `upto`."""
        sent = self._open_replay.page(rows, upto)
        if sent:
            self._position = sent[-1].position
        return sent

    def end(self) -> list[Delivery[T]] | None:
        """End the replay when nothing is `missing`. Returns the live messages that waited, to be sent now.

        None if more than MAX_WAITING came: call `begin` again, from `position`.
        """
        self._position = self._open_replay.position
        self._floor = Floor(self._position)
        self._is_like_others = self._floor.is_reached(self._open_replay.upto)
        if self._overflowed:
            return None
        self._replay = None
        waiting, self._waiting = self._waiting, []
        return [sent for delivery in waiting if (sent := self.live(delivery)) is not None]

    def live(self, delivery: Delivery[T]) -> Delivery[T] | None:
        """A message for this client was applied here. Returns it for sending; None if it waits or the client has it."""
        if self._replay is not None:
            self._wait(delivery)
            return None
        self._is_like_others = self._floor.is_reached(delivery.position)
        if self._floor.hides(delivery.item.id):
            return None
        self._position = self._floor.raised(delivery.position)
        return Delivery(delivery.item, self._position)

    @property
    def _open_replay(self) -> Replay[T]:
        if self._replay is None:
            raise AssertionError("nothing is replayed: call begin first")
        return self._replay

    def _wait(self, delivery: Delivery[T]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._overflowed = True
        else:
            self._waiting.append(delivery)
