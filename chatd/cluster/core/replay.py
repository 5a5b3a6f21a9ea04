"""The messages that a reconnecting client missed: by id, each once, each with the position after it. Pure.

In one turn of the event loop, take the node's vector and tail, and hold back the client's live messages (receiver.py).
The database is queried after that, so every message up to the vector is in its rows or in the tail.
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
    """A question for the messages to this client, of any origin, with ids in (`after`, `upto`], in order of id."""

    after: int
    upto: int


class Replay(Generic[T]):
    """The messages between two vectors, read page by page."""

    __slots__ = ("_after", "_tail", "missing", "upto")

    def __init__(self, after: Vector, upto: Vector, tail: Iterable[T]) -> None:
        """`after`: the position of the client, with an entry for each origin in `upto`, the position of the node.

        `tail`: the messages for this client that were applied and may have no row yet.
        """
        self._after = after
        self.upto = upto
        self._tail = deque(sorted((item for item in tail if self._is_missing(item)), key=lambda item: item.id))
        behind = [after[origin] for origin, applied in upto.items() if after[origin] < applied]
        self.missing = Missing(min(behind), max(upto.values())) if behind else None

    @property
    def position(self) -> Vector:
        """The position of the client after the replay."""
        return joined(self._after, self.upto)

    def page(self, rows: Iterable[T], upto: int) -> list[Delivery[T]]:
        """The messages to send for `rows`: all rows of `missing` up to `upto`. Advances `missing`; None means done.

        Rows that the client has, or that its node will still deliver, are skipped.
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
        """The position after all messages of every origin up to `message_id` were sent."""
        position = dict(self._after)
        for origin, applied in self.upto.items():
            position[origin] = max(position[origin], min(applied, latest_of(origin, message_id)))
        return position


def starting_point(position: Mapping[int, int], applied: Mapping[int, int], first: Mapping[int, int]) -> Vector:
    """The position of a client, completed with an entry for each origin in `applied`.

    If the position has no entry for an origin, its node did not know that origin, so the client has no messages of it:
    the entry is where the ids of the origin begin, from `first` (the table of nodes) or else its smallest id.
    """
    return {origin: first.get(origin, first_of(origin)) for origin in applied} | dict(position)
