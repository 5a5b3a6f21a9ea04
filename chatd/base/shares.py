"""Places in a shared queue, counted by user, so that no user can take them all.

A user has at most `each` of them, and all users together `total`; but a user who holds none is always given its first,
however full the queue is. So the number of users bounds what waits, and a flood takes only its own user's places.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Shares(Generic[Key]):
    """Stores nothing for a key without places."""

    __slots__ = ("_each", "_held", "_total", "taken")

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._held: dict[Key, int] = {}
        self.taken = 0

    def take(self, key: Key, count: int = 1) -> bool:
        """Reserve `count` places for `key`, if it may have them. Returns whether it got them."""
        held = self._held.get(key, 0)
        if held and (held + count > self._each or self.taken + count > self._total):
            return False
        self._held[key] = held + count
        self.taken += count
        return True

    def give_back(self, key: Key, count: int = 1) -> None:
        """Release `count` places of `key`."""
        self.taken -= count
        left = self._held.get(key, 0) - count
        if left > 0:
            self._held[key] = left
        else:
            self._held.pop(key, None)

    def __len__(self) -> int:
        """The number of keys with places."""
        return len(self._held)
