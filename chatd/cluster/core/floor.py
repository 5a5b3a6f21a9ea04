"""What a client has already, where its new node is behind: that much is skipped until the node has caught up."""

from __future__ import annotations

from collections.abc import Mapping

from chatd.cluster.core.vector import Vector, covers, joined, origin_of


class Floor:
    """Of one socket. `vector` is the client's position when it came."""

    __slots__ = ("vector",)

    def __init__(self, vector: Vector) -> None:
        self.vector = vector

    def hides(self, message_id: int) -> bool:
        """Whether the client has that message."""
        return message_id <= self.vector.get(origin_of(message_id), -1)

    def raised(self, position: Mapping[int, int]) -> Vector:
        """The position that the client has, where its node's is `position`."""
        return joined(position, self.vector)

    def is_reached(self, position: Mapping[int, int]) -> bool:
        """Whether the node is as far as the client was: then there is nothing left to skip."""
        return covers(position, self.vector)
