"""Retention: messages that are older than so many days are deleted while the daemon runs.

By the connection that writes, a few rows at a time, with pauses: a commit waits for one such step at most, which takes
a few milliseconds. How the steps go is in pruning.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

import aiosqlite

from chatd.tasks import Tasks

from . import faults
from .base import MessageId, StoreCode, StoreError
from .pruning import DELETE_STEP, FORGET_EMPTY, HAS_LIST, LAST_OF_STEP, ROWS_PER_STEP

EVERY_S: Final = 600.0

# Between two steps: 5,000 messages a second at most.
PAUSE_S: Final = 0.05

DAY_MS: Final = 86_400_000

log = logging.getLogger("chatd.store")

Step = Callable[[MessageId, MessageId, int], Awaitable[tuple[MessageId, int] | None]]
"""`delete_step` without its connection."""


class Retention:
    """Looks for old messages at the start, then every ten minutes, and when `use` changes their age."""

    def __init__(
        self, step: Step, clock_ms: Callable[[], int], first_id_of: Callable[[int], MessageId], days: float
    ) -> None:
        """`first_id_of` gives an id greater than all that were made before that time. `days` 0: keep everything."""
        self._step = step
        self._clock_ms = clock_ms
        self._first_id_of = first_id_of
        self._days = days
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

    async def close(self) -> None:
        """Idempotent; before the store is closed."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            if self._days:
                await self._sweep(self._clock_ms() - round(self._days * DAY_MS))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S if self._days else None):
                    await self._changed.wait()

    async def _sweep(self, before_ms: int) -> None:
        """Delete all that is older. Trouble ends it until the next time."""
        above, bound, deleted = MessageId(-1), self._first_id_of(before_ms), 0
        try:
            while not self._changed.is_set() and (done := await self._step(above, bound, before_ms)) is not None:
                above, count = done
                deleted += count
                await asyncio.sleep(PAUSE_S)
        except StoreError as error:
            log.warning("old messages could not be deleted", extra={"code": error.code, "cause": repr(error.__cause__)})
        if deleted:
            log.info("old messages deleted", extra={"messages": deleted, "days": self._days})


async def delete_step(
    connection: aiosqlite.Connection | None, above: MessageId, bound: MessageId, before_ms: int
) -> tuple[MessageId, int] | None:
    """Look at the next few messages above that id, and delete those that are older than `before_ms`.

    Returns up to which id it has looked and how many it has deleted; None where there is nothing more, and
    then conversations without messages are gone too.
    Raises StoreError.
    """
    if connection is None:
        raise StoreError(StoreCode.UNAVAILABLE, "the store is closed", retry=True)
    try:
        await connection.execute_fetchall("PRAGMA secure_delete = ON")  # what is deleted cannot be read in the file
        for (last,) in await connection.execute_fetchall(LAST_OF_STEP, (above, bound, ROWS_PER_STEP)):
            if last is not None:
                deleted = await connection.execute_fetchall(DELETE_STEP, (above, last, before_ms))
                return MessageId(last), len(list(deleted))
        for (has_list,) in await connection.execute_fetchall(HAS_LIST):
            if has_list:
                await connection.execute_fetchall(FORGET_EMPTY, (bound,))
    except sqlite3.Error as error:
        raise faults.store_error(error) from error
    return None
