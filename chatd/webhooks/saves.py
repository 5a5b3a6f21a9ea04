"""Stores the position of a webhook: at most every SAVE_EVERY_S, and at the end. Rule W-04."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from chatd.store.base import StoreError
from chatd.store.positions import Position
from chatd.webhooks.memory import Memory

SAVE_EVERY_S: Final = 0.1

_LONGEST_S: Final = 1.0
"""Time limit of the last save: a stop must not wait for a database that does not answer."""


class Saves:
    """Saves `position`, which its owner changes. `clock` returns seconds."""

    def __init__(self, memory: Memory, position: Position, clock: Callable[[], float]) -> None:
        self._memory = memory
        self._position = position
        self._saved = dict(position)
        self._clock = clock
        self._next_s = 0.0

    @property
    def is_behind(self) -> bool:
        return self._position != self._saved

    async def now_and_then(self) -> None:
        """Raises StoreError."""
        if self.is_behind and self._clock() >= self._next_s:
            await self._save()
            self._next_s = self._clock() + SAVE_EVERY_S

    async def at_end(self) -> None:
        """Save once more, so that delivered events are not sent again after a clean stop."""
        if self.is_behind:
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_LONGEST_S):
                    await self._save()

    async def _save(self) -> None:
        position = dict(self._position)
        await self._memory.save(position)
        self._saved = position
