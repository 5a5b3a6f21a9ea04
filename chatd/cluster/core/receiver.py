"""One socket that comes back: first what it missed, then what came meanwhile, then what comes live; each once.

The node calls `live` for these sockets only. One that has caught up, and whose floor is reached, needs no receiver: it
gets what every other socket of the room gets, the same bytes.
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
    """Between its return and the moment when it is like the others."""

    __slots__ = ("_floor", "_is_like_others", "_overflowed", "_position", "_replay", "_waiting")

    def __init__(self, position: Vector) -> None:
        """`position` is what the client said it has. Call `begin` in the same turn."""
        self._position = position
        self._floor = Floor(position)
        self._replay: Replay[T] | None = None
        self._waiting: list[Delivery[T]] = []
        self._overflowed = False
        self._is_like_others = False

    @property
    def position(self) -> Vector:
        """What the client has, once it has received all that it was sent."""
        return self._position

    @property
    def missing(self) -> Missing | None:
        """What to ask of the database for it; None if nothing."""
        return None if self._replay is None else self._replay.missing

    @property
    def is_like_others(self) -> bool:
        """Whether nothing is left to be done, after `end` and after the message that was given to `live` last.

        The node's vector does not say so: of several messages that it applied at once, that one may be the first.
        """
        return self._replay is None and self._is_like_others

    def begin(self, replay: Replay[T]) -> None:
        """From here on, live messages wait."""
        self._replay = replay
        self._waiting.clear()
        self._overflowed = False

    def page(self, rows: Iterable[T], upto: int) -> list[Delivery[T]]:
        """The database has answered `missing` up to `upto`: what to send."""
        sent = self._open_replay.page(rows, upto)
        if sent:
            self._position = sent[-1].position
        return sent

    def end(self) -> list[Delivery[T]] | None:
        """Nothing is `missing`: what came meanwhile, to be sent; live from here on.

        None if more came than could wait: `begin` again, from `position`.
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
        """A message for this client was applied here: what to send, if anything and if now."""
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
