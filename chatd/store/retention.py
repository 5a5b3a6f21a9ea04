"""Retention: deletes messages older than `retention` days while the daemon runs. Rule C-59 of protocol.md.

The writing connection deletes a few rows at a time, with pauses: a commit waits for at most one such step, which takes
a few milliseconds. The SQL of the steps is in pruning.py, the check of the clock in vouched.py.
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

# The interval while the clock is in doubt or another node deletes: the clock may be set, or the node may end.
SOON_S: Final = 10.0

# The pause between two steps: it limits deletion to 5,000 messages a second.
PAUSE_S: Final = 0.05

log = logging.getLogger("chatd.store")


class OldRows(Protocol):
    """The part of a store that deletes old messages."""

    @property
    def counters(self) -> StoreCounters: ...

    def sweep_turn(self) -> AbstractAsyncContextManager[bool]:
        """Whether this daemon may delete until the end of the block: one node may at a time.

        Raises StoreError at its beginning, never at its end.
        """

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """Examine the next few messages with ids in (`above`, `bound`), and delete those older than `before_ms`.

        Returns the last examined id and the number of deleted messages; None if there are no more messages. Times are
        milliseconds since 1970. Raises StoreError.
        """

    async def prune_astray(self, before_ms: int) -> int:
        """Delete a few older messages whose `fecha` differs from the time in their ids. Returns their number.

        Raises StoreError.
        """


class Retention:
    """Deletes old messages at the start, then every ten minutes, and when `use` changes the age.

    The clock is checked even without an age, so that the database knows the time when an age is set later.
    """

    def __init__(
        self,
        store: OldRows,
        vouched: VouchedTime,
        clock_ms: Callable[[], int],
        first_id_of: Callable[[int], MessageId],
        days: float,
    ) -> None:
        """`first_id_of` returns an id greater than all ids made before a time. `days` 0: delete nothing."""
        self._store = store
        self._vouched = vouched
        self._clock_ms = clock_ms
        self._first_id_of = first_id_of
        self._days = days
        self._examined = MessageId(-1)  # up to this id, no old message is left that is not in the partial index
        self._has_turn = True  # whether this node, not another one, had the last turn
        self._changed = asyncio.Event()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The event loop must run."""
        self._task = self._tasks.start(self._run(), "retention")

    def use(self, days: float) -> None:
        """Change the age."""
        if days != self._days:
            self._days = days
            self._changed.set()

    async def look(self) -> None:
        """Delete old messages, unless the clock is in doubt. Raises StoreError; the next call continues."""
        age_ms = round(self._days * DAY_MS)
        now_ms = self._clock_ms()
        ahead_ms = await self._vouched.ahead_ms(allowed_ms(age_ms) if age_ms else MAX_AHEAD_MS)
        self._note(waits=bool(age_ms and ahead_ms), ahead_ms=ahead_ms)
        if age_ms and not ahead_ms:
            async with self._store.sweep_turn() as self._has_turn:
                if self._has_turn:
                    await self._sweep(now_ms - age_ms)

    async def close(self) -> None:
        """Call before the store is closed. Idempotent."""
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
            waits = self._store.counters.retention_waits or not self._has_turn
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON_S if waits else EVERY_S):
                    await self._changed.wait()

    def _note(self, *, waits: bool, ahead_ms: int) -> None:
        """Log when the doubt about the clock begins and ends."""
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
        """Delete all older messages. Raises StoreError."""
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
        """Start after the last examined id: messages before it are newer by `fecha`, or in the partial index."""
        above, bound = self._examined, self._first_id_of(before_ms + AGREED_MS)
        while not self._changed.is_set() and (done := await self._store.prune(above, bound, before_ms)) is not None:
            above, count = done
            self._store.counters.deleted += count
            await asyncio.sleep(PAUSE_S)
        self._examined = max(self._examined, min(above, self._first_id_of(before_ms - AGREED_MS)))
