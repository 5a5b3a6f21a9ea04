"""The floor of a client that is ahead of its new node: messages up to it are skipped until the node has caught up."""

from __future__ import annotations

from collections.abc import Mapping

from chatd.cluster.core.vector import Vector, covers, joined, origin_of


class Floor:
    """The floor of one socket. `vector`: the client's position when it connected."""

    __slots__ = ("vector",)

    def __init__(self, vector: Vector) -> None:
        self.vector = vector

    def hides(self, message_id: int) -> bool:
        """Whether the client already has that message."""
        return message_id <= self.vector.get(origin_of(message_id), -1)

    def raised(self, position: Mapping[int, int]) -> Vector:
        """The client's position when its node's is `position`."""
        return joined(position, self.vector)

    def is_reached(self, position: Mapping[int, int]) -> bool:
        """Whether the node is as far as the client was: then nothing is skipped any more."""
        return covers(position, self.vector)
