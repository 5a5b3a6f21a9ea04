"""Counts the connections of each key. Rule A-27."""

from __future__ import annotations

import asyncio
from weakref import WeakSet


class HeldConnections:
    """A connection counts for the key of its last request until it ends. 0 is no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._of: dict[str, WeakSet[asyncio.Transport]] = {}  # by name of the key

    def take(self, connection: asyncio.Transport, key: str) -> bool:
        """Count the connection for `key`. Returns False if the key has too many."""
        held = self._of.setdefault(key, WeakSet())
        if connection in held:
            return True
        if 0 < self._limit <= sum(not each.is_closing() for each in held):
            return False
        for others in self._of.values():
            others.discard(connection)
        held.add(connection)
        return True
