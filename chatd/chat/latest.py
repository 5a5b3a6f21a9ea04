"""The newest value of each user, kept in the database in the background.

A value is written when it is another than the last one; among several nodes each time, because another one may have
changed it meanwhile. One statement runs at a time: users who connect together share commits, as seen marks do. What
waits is one row for each user, and so has the bound of the users who are connected.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Generic, TypeVar

from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.store.base import StoreError
from chatd.store.marks import NOTE_DELAY_S

MAX_REMEMBERED: Final = 10_000
"""Users whose row is known to be right; one who was forgotten is written again."""

ROWS: Final = 64
"""In one statement."""

RETRY_S: Final = 5.0

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """`put` stores some of them, or raises StoreError, which `on_fault` is told: they are written later."""

    def __init__(
        self,
        chat: Chat,
        put: Callable[[Mapping[str, Value]], Awaitable[None]],
        on_fault: Callable[[StoreError], None],
    ) -> None:
        self._is_alone = chat.node is None
        self._put = put
        self._on_fault = on_fault
        self._stored: dict[str, Value] = {}
        self._waiting: dict[str, Value] = {}
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        chat.store.also_flush(self.flushed)

    def find(self, user: str) -> Value | None:
        """The newest value, if it is remembered."""
        return self._waiting.get(user, self._stored.get(user))

    def keep(self, user: str, value: Value) -> None:
        known = self.find(user) if self._is_alone else self._waiting.get(user)
        if known == value:
            return
        self._waiting[user] = value
        if self._task is None:
            self._task = self._tasks.start(self._write(), "newest values")

    async def flushed(self) -> None:
        """Return once all values that were kept before this call are stored, or cannot be stored now."""
        with contextlib.suppress(StoreError):
            while self._waiting:
                await self._put_some()

    async def _write(self) -> None:
        """Write all waiting rows, including those added during the write."""
        pause_s = NOTE_DELAY_S
        try:
            while self._waiting:
                await asyncio.sleep(pause_s)
                pause_s = NOTE_DELAY_S
                try:
                    await self._put_some()
                except StoreError as error:
                    self._on_fault(error)
                    pause_s = RETRY_S
        finally:
            self._task = None

    async def _put_some(self) -> None:
        """Raises StoreError."""
        if some := dict(list(self._waiting.items())[:ROWS]):
            await self._put(some)
            self._remember(some)

    def _remember(self, some: Mapping[str, Value]) -> None:
        for user, value in some.items():
            if self._waiting.get(user) == value:
                del self._waiting[user]
            self._stored[user] = value
        for user in list(self._stored)[: max(0, len(self._stored) - MAX_REMEMBERED)]:
            del self._stored[user]
