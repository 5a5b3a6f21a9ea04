"""What a client missed that comes back, in the order of the ids, each once, each with the position it leads to. Pure.

In one turn of the loop: take the node's vector and tail, and put the client's live messages aside (receiver.py). The
database is asked after that, so everything up to the vector is in its rows or in the tail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from chatd.cluster.core.vector import Identified, Vector, first_of, joined, latest_of, origin_of

T = TypeVar("T", bound=Identified)


class Delivery(NamedTuple, Generic[T]):
    """A message, and the position of a client that has received it and everything before it."""

    item: T
    position: Vector


class Missing(NamedTuple):
    """Which messages for this client, of any origin, have an id above `after` and up to `upto`? In order of id."""

    after: int
    upto: int


class Replay(Generic[T]):
    """The messages between two vectors, read page by page."""

    __slots__ = ("_after", "_tail", "missing", "upto")

    def __init__(self, after: Vector, upto: Vector, tail: Iterable[T]) -> None:
        """`after` is what the client has, with an entry for each origin in `upto`, what the node has applied.

        `tail` are the messages for this client that were applied and may have no row yet.
        """
        self._after = after
        self.upto = upto
        self._tail = deque(sorted((item for item in tail if self._is_missing(item)), key=lambda item: item.id))
        behind = [after[origin] for origin, applied in upto.items() if after[origin] < applied]
        self.missing = Missing(min(behind), max(upto.values())) if behind else None

    @property
    def position(self) -> Vector:
        """What the client has when the replay is done."""
        return joined(self._after, self.upto)

    def page(self, rows: Iterable[T], upto: int) -> list[Delivery[T]]:
        """`rows` are all that the database has of `missing` up to `upto`. Moves `missing` on; None when that was all.

        A row that the client has, or that its node will still deliver, is left out.
        """
        if self.missing is None:
            raise AssertionError("the replay is done")
        items = {row.id: row for row in rows if self._is_missing(row)}
        while self._tail and self._tail[0].id <= upto:
            item = self._tail.popleft()
            items[item.id] = item
        self.missing = Missing(upto, self.missing.upto) if upto < self.missing.upto else None
        return [Delivery(items[one], self._position_at(one)) for one in sorted(items)]

    def _is_missing(self, item: T) -> bool:
        origin = origin_of(item.id)
        return self._after.get(origin, -1) < item.id <= self.upto.get(origin, -1)

    def _position_at(self, message_id: int) -> Vector:
        """Everything with an id up to that one was sent, of every origin."""
        position = dict(self._after)
        for origin, applied in self.upto.items():
            position[origin] = max(position[origin], min(applied, latest_of(origin, message_id)))
        return position


def starting_point(position: Mapping[int, int], applied: Mapping[int, int], first: Mapping[int, int]) -> Vector:
    """What a client has: its position, and for an origin that is not in it the place where that one began.

    A position without an entry was made by a node that had not heard of that origin, so the client has nothing of it.
    `first` comes from the table of nodes; without an entry there it is the origin's smallest id.
    """
    return {origin: first.get(origin, first_of(origin)) for origin in applied} | dict(position)
