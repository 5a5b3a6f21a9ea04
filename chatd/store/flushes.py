"""Waiting for all that a queue has taken so far, and not for what comes later."""

from __future__ import annotations

import asyncio


class Flushes:
    """Counts what a queue takes and answers; answers come in the order of taking."""

    __slots__ = ("_answered", "_taken", "_waits")

    def __init__(self) -> None:
        self._taken = 0
        self._answered = 0
        self._waits: list[tuple[int, asyncio.Future[None]]] = []

    def took_one(self) -> None:
        self._taken += 1

    def answered(self, count: int) -> None:
        self._answered += count
        while self._waits and self._waits[0][0] <= self._answered:
            _, wait = self._waits.pop(0)
            if not wait.done():
                wait.set_result(None)

    async def flushed(self) -> None:
        """Return once everything that was taken before this call is answered."""
        if self._answered < self._taken:
            wait = asyncio.get_running_loop().create_future()
            self._waits.append((self._taken, wait))
            await wait
