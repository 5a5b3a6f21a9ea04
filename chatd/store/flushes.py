"""Waits for the present items of a queue, and not for later ones."""

from __future__ import annotations

import asyncio


class Flushes:
    """Counts the answers of a queue, which come in the order of its items."""

    __slots__ = ("_answered", "_waits")

    def __init__(self) -> None:
        self._answered = 0
        self._waits: list[tuple[int, asyncio.Future[None]]] = []

    def answered(self, count: int) -> None:
        """Count items that have left the queue."""
        self._answered += count
        while self._waits and self._waits[0][0] <= self._answered:
            _, wait = self._waits.pop(0)
            if not wait.done():
                wait.set_result(None)

    async def flushed(self, waiting: int) -> None:
        """Return once the `waiting` items that are in the queue now are answered."""
        if waiting:
            wait = asyncio.get_running_loop().create_future()
            self._waits.append((self._answered + waiting, wait))
            await wait
