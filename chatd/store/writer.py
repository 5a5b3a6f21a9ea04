"""Group commit: all rows that arrive during a commit go into the next one.

One task for the store, not one per message. One function stores a batch in the database: all of its rows or none.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Final, Generic, TypeVar

from chatd.base.tasks import Tasks

from .base import Done, StoreCode, StoreCounters, StoreError
from .flushes import Flushes

log = logging.getLogger("chatd.store")

# At this size the rows take most of the time of a batch, not the commit; and the callbacks of a batch do not block the
# event loop for longer than a few milliseconds.
MAX_BATCH_ROWS: Final = 1024

# Limits memory: a prepared statement keeps its last values, and there is one for each size of batch.
MAX_BATCH_BYTES: Final = 1_048_576

Row = TypeVar("Row")

Insert = Callable[[Sequence[Row]], Awaitable[None]]


class GroupCommit(Generic[Row]):
    """The queue of rows for one table, and the task that writes them.

    `what`: the name of the rows in the log, in the plural; `weigh`: returns the bytes of a row's texts. `insert`
    commits all rows or none, and raises StoreError. If a row caused the error (`of_a_row`), the batch is tried again in
    halves, so that the other rows are stored. Any other error is one of the database: it answers all rows that were
    waiting when the batch started, because they would fail too. So during an outage a row waits for at most two
    batches, and the next batch detects the end of the outage.

    While no client waits for an answer, a batch waits for more rows until its first row is `delay_s` old (C-67): a
    commit takes 100 to 200 µs of CPU, whatever the number of its rows.
    """

    def __init__(
        self,
        what: str,
        insert: Insert[Row],
        weigh: Callable[[Row], int],
        *,
        max_rows: int,
        max_bytes: int,
        delay_s: float = 0.0,
    ) -> None:
        self.counters = StoreCounters()
        self._what = what
        self._insert = insert
        self._weigh = weigh
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._delay_s = delay_s
        self._enough_rows = min(MAX_BATCH_ROWS, max_rows // 2)
        self._enough_bytes = min(MAX_BATCH_BYTES, max_bytes // 2)
        self._awaited = 0  # waiting rows that must be answered before the writer may wait for more rows
        # Rows, their callbacks and the bytes of their texts. The list starts with the batch that is being written.
        self._waiting: list[tuple[Row, Done, int]] = []
        self._waiting_bytes = 0
        self._since: list[float] = []  # the arrival time of each waiting row
        self._batch_rows = MAX_BATCH_ROWS
        self._flushes = Flushes()
        self._wake = asyncio.Event()
        self._resting: asyncio.Event | None = None
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._accepting = False
        self._fault: StoreCode | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def failing(self) -> bool:
        """Whether the last batch failed by an error of the database, not of a row."""
        return self._fault is not None

    def start(self) -> None:
        """Start to write; the event loop must run."""
        self._task = self._tasks.start(self._write(), f"store writer of {self._what}")
        self._task.add_done_callback(self._finished)
        self._accepting = True

    def put(self, row: Row, done: Done, *, patient: bool = False) -> None:
        """See Store.put. A row is never refused for its size alone: an empty queue accepts any row."""
        if not self._accepting:
            raise _closed()
        texts_bytes = self._weigh(row)
        if not self._waiting:
            self._wake.set()
        elif not self._has_room(texts_bytes):
            self.counters.refused += 1
            raise StoreError(StoreCode.BUSY, f"too many {self._what} are waiting to be stored: try again", retry=True)
        self._waiting.append((row, done, texts_bytes))
        self._waiting_bytes += texts_bytes
        self._since.append(monotonic())
        if not patient or len(self._waiting) >= self._enough_rows or self._waiting_bytes >= self._enough_bytes:
            self.hurry()

    def hurry(self) -> None:
        """Write all waiting rows now: a client waits for an answer, or the batch is full."""
        self._awaited = len(self._waiting)
        if self._resting is not None:
            self._resting.set()

    async def flushed(self) -> None:
        """See Store.flushed."""
        self.hurry()
        await self._flushes.flushed(len(self._waiting))

    async def close(self) -> None:
        """Refuse new rows, write the waiting ones, end the task. Idempotent; every caller waits for the end."""
        self._accepting = False
        if (task := self._task) is None:
            return
        try:
            await self.flushed()
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _has_room(self, texts_bytes: int) -> bool:
        return len(self._waiting) < self._max_rows and self._waiting_bytes + texts_bytes <= self._max_bytes

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._rest()
                await self._write_batch()

    async def _rest(self) -> None:
        """Wait for more rows, as long as no client waits for this batch."""
        left_s = self._since[0] + self._delay_s - monotonic()
        if self._awaited or left_s <= 0:
            return
        self._resting = asyncio.Event()
        alarm = asyncio.get_running_loop().call_later(left_s, self._resting.set)
        try:
            await self._resting.wait()
        finally:
            alarm.cancel()
            self._resting = None

    async def _write_batch(self) -> None:
        known = len(self._waiting)
        batch = self._next_batch()
        begun = monotonic()
        error = await self._attempt(batch)
        if error is None:
            self._batch_rows = MAX_BATCH_ROWS
            self.counters.batches += 1
            self.counters.batch_rows.observe(len(batch))
            self.counters.commit_s.observe(monotonic() - begun)
            self._answer(len(batch), None)
        elif not error.of_a_row:
            self._answer(known, error)
        elif len(batch) > 1:
            self._batch_rows = len(batch) // 2
        else:
            log.error("row rejected", extra={"among": self._what, "cause": repr(error.__cause__)})
            self._batch_rows = MAX_BATCH_ROWS
            self._answer(1, error)

    def _next_batch(self) -> list[Row]:
        """The first rows of the queue, within both limits of a batch, but at least one row."""
        batch: list[Row] = []
        room_bytes = MAX_BATCH_BYTES
        for row, _, texts_bytes in itertools.islice(self._waiting, self._batch_rows):
            room_bytes -= texts_bytes
            if batch and room_bytes < 0:
                break
            batch.append(row)
        return batch

    async def _attempt(self, batch: Sequence[Row]) -> StoreError | None:
        try:
            await self._insert(batch)
        except StoreError as error:
            self._note(error)
            return error
        except Exception as error:  # noqa: BLE001  # whatever it is, the writer goes on
            wrapped = StoreError(StoreCode.UNAVAILABLE, "the database cannot be written: try again", retry=True)
            wrapped.__cause__ = error
            self._note(wrapped)
            return wrapped
        self._note(None)
        return None

    def _note(self, error: StoreError | None) -> None:
        """Log when an error begins, changes and ends, not for each batch that fails."""
        code = None if error is None or error.of_a_row else error.code
        if code is self._fault:
            return
        self._fault = code
        if error is not None and code is not None:
            log.error("%s cannot be stored", self._what, extra={"code": code, "cause": repr(error.__cause__)})
        else:
            log.warning("%s are stored again", self._what, extra={"failures": self.counters.failures})

    def _answer(self, count: int, error: StoreError | None) -> None:
        """Remove the first `count` rows from the queue and call their callbacks."""
        answered = self._waiting[:count]
        del self._waiting[:count]
        self._awaited = max(self._awaited - count, 0)
        self._flushes.answered(count)
        self.counters.answer_s.observe_waits(self._since[:count], monotonic())
        del self._since[:count]
        self._waiting_bytes -= sum(texts_bytes for _, _, texts_bytes in answered)
        if error is None:
            self.counters.rows += count
        else:
            self.counters.failures += count
        for _, done, _ in answered:
            try:
                done(error)
            except Exception:
                log.exception("a callback of the store raised")

    def _finished(self, _task: asyncio.Task[None]) -> None:
        """The task has ended, after `close`, with the loop, or by a bug. Answer every waiting caller."""
        self._task = None
        self._accepting = False
        self._answer(len(self._waiting), _closed())


def _closed() -> StoreError:
    return StoreError(StoreCode.UNAVAILABLE, "the store is closed: try again later", retry=True)
