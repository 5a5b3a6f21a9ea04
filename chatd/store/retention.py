"""Retention: messages that are older than so many days are deleted while the daemon runs. Rule C-59 of protocol.md.

By the connection that writes, a few rows at a time, with pauses: a commit waits for one such step at most, which takes
a few milliseconds. How the steps go is in pruning.py; whether the clock is believed, in vouched.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from chatd.base.tasks import Tasks

from .base import MessageId, StoreCounters, StoreError
from .pruning import AGREED_MS
from .vouched import DAY_MS, MAX_AHEAD_MS, VouchedTime, allowed_ms

EVERY_S: Final = 600.0

# While the clock is not believed, or another node deletes: the clock may have been set, or that node may have died.
SOON_S: Final = 10.0

# Between two steps: 5,000 messages a second at most.
PAUSE_S: Final = 0.05

log = logging.getLogger("chatd.store")


class OldRows(Protocol):
    """The part of a store that deletes."""

    @property
    def counters(self) -> StoreCounters: ...

    def sweep_turn(self) -> AbstractAsyncContextManager[bool]:
        """Whether this daemon may delete until the end of the block: of several nodes one may at a time.

        Raises StoreError at its beginning, never at its end.
        """

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """Look at the next few messages between these ids, and delete those that are older than `before_ms`.

        Returns up to which id it has looked and how many it has deleted; None where there is nothing more. Raises
        StoreError.
        """

    async def prune_astray(self, before_ms: int) -> int:
        """Delete a few messages that are older, and whose ids are of another time: how many. Raises StoreError."""


class Retention:
    """Looks for old messages at the start, then every ten minutes, and when `use` changes their age.

    The clock is looked at without an age as well: so the file knows the time when an age is given.
    """

    def __init__(
        self,
        store: OldRows,
        vouched: VouchedTime,
        clock_ms: Callable[[], int],
        first_id_of: Callable[[int], MessageId],
        days: float,
    ) -> None:
        """`first_id_of` gives an id greater than all that were made before that time. `days` 0: keep everything."""
        self._store = store
        self._vouched = vouched
        self._clock_ms = clock_ms
        self._first_id_of = first_id_of
        self._days = days
        self._examined = MessageId(-1)  # up to here, ids and dates agree on nothing old
        self._is_ours = True  # the last turn; else another node had it
        self._changed = asyncio.Event()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The loop must run."""
        self._task = self._tasks.start(self._run(), "retention")

    def use(self, days: float) -> None:
        """Another age from now on."""
        if days != self._days:
            self._days = days
            self._changed.set()

    async def look(self) -> None:
        """Delete what is old, if the clock is believed. Raises StoreError; the next look goes on."""
        age_ms = round(self._days * DAY_MS)
        now_ms = self._clock_ms()
        ahead_ms = await self._vouched.ahead_ms(allowed_ms(age_ms) if age_ms else MAX_AHEAD_MS)
        self._note(waits=bool(age_ms and ahead_ms), ahead_ms=ahead_ms)
        if age_ms and not ahead_ms:
            async with self._store.sweep_turn() as self._is_ours:
                if self._is_ours:
                    await self._sweep(now_ms - age_ms)

    async def close(self) -> None:
        """Idempotent; before the store is closed."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self.look()
            except StoreError as error:
                extra = {"code": error.code, "cause": repr(error.__cause__)}
                log.warning("old messages could not be deleted", extra=extra)
            waits = self._store.counters.retention_waits or not self._is_ours
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON_S if waits else EVERY_S):
                    await self._changed.wait()

    def _note(self, *, waits: bool, ahead_ms: int) -> None:
        """Log when a doubt begins and ends."""
        counters = self._store.counters
        if waits and not counters.retention_waits:
            log.warning(
                "old messages are not deleted: the clock is far ahead of what the database knows; see chatd clock",
                extra={"step_s": ahead_ms // 1000, "days": self._days},
            )
        elif counters.retention_waits and not waits:
            log.warning("the clock is believed again")
        counters.retention_waits = waits

    async def _sweep(self, before_ms: int) -> None:
        """Delete all that is older. Raises StoreError."""
        deleted = self._store.counters.deleted
        try:
            await self._sweep_along_ids(before_ms)
            while not self._changed.is_set() and (count := await self._store.prune_astray(before_ms)):
                self._store.counters.deleted += count
                await asyncio.sleep(PAUSE_S)
        finally:
            deleted = self._store.counters.deleted - deleted
            if deleted:
                log.info("old messages deleted", extra={"messages": deleted, "days": self._days})

    async def _sweep_along_ids(self, before_ms: int) -> None:
        """From where the last one has ended: what is left below is newer, whatever its id says, or in the index."""
        above, bound = self._examined, self._first_id_of(before_ms + AGREED_MS)
        while not self._changed.is_set() and (done := await self._store.prune(above, bound, before_ms)) is not None:
            above, count = done
            self._store.counters.deleted += count
            await asyncio.sleep(PAUSE_S)
        self._examined = max(self._examined, min(above, self._first_id_of(before_ms - AGREED_MS)))
