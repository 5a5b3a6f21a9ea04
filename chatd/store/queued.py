"""The common part of all stores: queues, batches, answers. Subclasses access the database in a few methods.

The queue of rows is in writer.py, lookups in lookup.py, marks in marks.py, the list of conversations in summary.py.
"""

from __future__ import annotations

import abc
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final

from .base import Answer, Done, Found, Message, MessageId, Question, StoreCounters, StoreError
from .config import StoreConfig
from .lookup import GroupLookup
from .marks import ALL_READ, BACK, EVERYBODY, FORGET_BACK, MAX_MARKS, READ, SEEN, Furthest, MarkQueue, Table
from .positions import WHOLE, Position
from .pruning import DELETE_ASTRAY, DELETE_STEP, LAST_OF_STEP, ROWS_PER_STEP
from .summary import Summary
from .writer import GroupCommit

if TYPE_CHECKING:
    from .library import Library

log = logging.getLogger("chatd.store")


_GREATEST: Final = "SELECT coalesce(max(id), 0) FROM mensajes"


class QueuedStore(abc.ABC):
    """The part of a Store that is the same for every database."""

    _overlap = 0  # see Summary

    def __init__(self, config: StoreConfig) -> None:
        rows, size = config.max_waiting_rows, config.max_waiting_bytes
        self._writer = GroupCommit(
            "messages",
            self._insert,
            _texts_bytes,
            max_rows=rows,
            max_bytes=size,
            delay_s=config.commit_delay_ms / 1_000,
        )
        self._read = MarkQueue("read marks", READ, self._write_read)
        self._seen = MarkQueue("seen marks", SEEN, self._write_marks)
        self._summary = Summary(self.run, self._overlap)
        self._sums = GroupCommit("summaries", self._summary.catch_up, lambda _: 0, max_rows=MAX_MARKS, max_bytes=size)
        self._lookups = GroupLookup(self._find)
        self._recovery_key: bytes | None = None
        self._others: list[Callable[[], Awaitable[None]]] = []

    @abc.abstractmethod
    async def _insert(self, batch: Sequence[Message]) -> None:
        """Commit all rows of the batch or none, then call `_count`. Raises StoreError."""

    @abc.abstractmethod
    async def _write_marks(self, table: Table, marks: Furthest) -> None:
        """Commit all marks. Raises StoreError."""

    @abc.abstractmethod
    async def _find(self, questions: Sequence[Question]) -> Sequence[Found]:
        """The answers in the order of the questions. Raises StoreError."""

    @property
    @abc.abstractmethod
    def library(self) -> Library:
        """See Store.library."""

    @abc.abstractmethod
    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """See Store.run."""

    @property
    def counters(self) -> StoreCounters:
        return self._writer.counters

    @property
    def waiting(self) -> int:
        return self._writer.waiting + self._read.waiting + self._seen.waiting + self._lookups.waiting

    @property
    def recovery_key(self) -> bytes:
        """See Store.recovery_key."""
        if self._recovery_key is None:
            raise AssertionError("the store was not opened")
        return self._recovery_key

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        """See Store.put."""
        self._writer.put(message, done, patient=patient)

    def find(self, question: Question, answer: Answer) -> None:
        """See Store.find."""
        self._lookups.find(question, answer)

    def mark_read(self, lector: str, con: str, hasta: MessageId, done: Done) -> None:
        """See Store.mark_read."""
        self._read.put((lector, con), hasta, done)

    def mark_unread(self, lector: str, con: str, desde: MessageId, done: Done) -> None:
        """See Store.mark_unread."""
        self._read.put((lector, con), desde - 1, done, BACK)

    def mark_all_read(self, lector: str, hasta: MessageId, done: Done) -> None:
        """See Store.mark_all_read."""
        self._read.put((lector, EVERYBODY), hasta, done, ALL_READ)

    def saw(self, user: str, fecha_ms: int) -> None:
        """See Store.saw."""
        try:
            self._seen.note((user,), fecha_ms)
        except StoreError as error:
            log.warning("when a user was seen is not stored", extra={"code": error.code})

    def sum_up(self, done: Done) -> None:
        """See Store.sum_up."""
        self._sums.put(None, done)

    @contextlib.asynccontextmanager
    async def sweep_turn(self) -> AsyncIterator[bool]:
        """See OldRows.sweep_turn: always True for a single daemon."""
        yield True

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """See OldRows.prune."""
        [(last,)] = await self.run(LAST_OF_STEP, (above, bound, ROWS_PER_STEP))
        if last is None:
            return None
        return MessageId(last), len(await self.run(DELETE_STEP, (above, last, before_ms)))

    async def prune_astray(self, before_ms: int) -> int:
        """See OldRows.prune_astray."""
        return len(await self.run(DELETE_ASTRAY, (before_ms, ROWS_PER_STEP)))

    def log_of(self, message: MessageId) -> int:
        """See Store.log_of: one daemon has one log."""
        return WHOLE

    async def log_from(self, begin: Position | None) -> Position:
        """See Store.log_from. A position of several nodes becomes the smallest of its ids."""
        if begin is not None:
            return {WHOLE: min(begin.values(), default=0)}
        [(greatest,)] = await self.run(_GREATEST)
        return {WHOLE: greatest}

    async def log_after(self, position: Position, limit: int) -> list[Message]:
        """See Store.log_after."""
        return await self.library.log(position[WHOLE], limit)

    @contextlib.asynccontextmanager
    async def hook_turn(self, key: int) -> AsyncIterator[bool]:
        """See Store.hook_turn: always True for a single daemon."""
        yield True

    async def flushed(self) -> None:
        """See Store.flushed. Lookups come first, because an answer may put a message."""
        for flush in self._others:
            await flush()
        for queue in (self._lookups, self._writer, self._read, self._seen, self._sums):
            await queue.flushed()

    def also_flush(self, flush: Callable[[], Awaitable[None]]) -> None:
        """See Store.also_flush."""
        self._others.append(flush)

    async def _write_read(self, table: Table, marks: Furthest) -> None:
        """Raises StoreError."""
        if table is ALL_READ:
            for (reader, _), hasta in marks.items():
                await self.run(FORGET_BACK, (reader, hasta))
        await self._write_marks(table, marks)

    def _start_queues(self) -> None:
        for queue in (self._writer, self._read, self._seen, self._sums, self._lookups):
            queue.start()

    async def _close_queues(self) -> None:
        await self._lookups.flushed()  # an answer may put a row
        for queue in (self._writer, self._read, self._seen, self._sums, self._lookups):
            await queue.close()

    def _count(self, rows: int) -> None:
        """Count newly stored messages, and update the list of conversations at intervals."""
        if self._summary.is_due(rows) and not self._sums.waiting:
            with contextlib.suppress(StoreError):  # the store is closed: the next start continues
                self.sum_up(_ignore)


def _texts_bytes(message: Message) -> int:
    return getsizeof(message.mensaje) + getsizeof(message.para)


def _ignore(error: StoreError | None) -> None:
    """No caller waits for the answer; the queue logs failures."""
