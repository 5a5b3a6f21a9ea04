"""Places in a shared queue, counted by user, so that no user can take them all.

A user has at most `each` of them, and all users together `total`; but a user who holds none is always given its first,
however full the queue is. So the number of users bounds what waits, and a flood takes only its own user's places.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Shares(Generic[Key]):
    """Keeps nothing of a key that holds nothing."""

    __slots__ = ("_each", "_held", "_total", "taken")

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._held: dict[Key, int] = {}
        self.taken = 0

    def take(self, key: Key, count: int = 1) -> bool:
        """Whether `key` may have `count` more; if so, they are taken."""
        held = self._held.get(key, 0)
        if held and (held + count > self._each or self.taken + count > self._total):
            return False
        self._held[key] = held + count
        self.taken += count
        return True

    def give_back(self, key: Key, count: int = 1) -> None:
        """`key` has so many less."""
        self.taken -= count
        left = self._held.get(key, 0) - count
        if left > 0:
            self._held[key] = left
        else:
            self._held.pop(key, None)

    def __len__(self) -> int:
        """How many keys hold something."""
        return len(self._held)
