"""Lookups of single messages; all that wait share one statement.

As in writer.py: one task for the store, not one per lookup, and one function that queries the database.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from chatd.base.tasks import Tasks

from .base import MAX_CIDS, Answer, Found, MessageId, Question, StoreCode, StoredAs, StoreError
from .flushes import Flushes

log = logging.getLogger("chatd.store")

# Larger batches would not be faster, and their callbacks would block the event loop for longer.
MAX_BATCH_QUESTIONS: Final = 256

Ask = Callable[[Sequence[Question]], Awaitable[Sequence[Found]]]


class GroupLookup:
    """The queue of lookups. `ask` returns the answers in the order of the questions, or raises StoreError."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._waiting: list[tuple[Question, Answer]] = []  # starts with the batch that is being looked up
        self._wake = asyncio.Event()
        self._flushes = Flushes()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self._accepting = False
        self._failing = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def start(self) -> None:
        """Start to answer; the event loop must run."""
        self._task = self._tasks.start(self._run(), "store lookups")
        self._task.add_done_callback(self._finished)
        self._accepting = True

    def find(self, question: Question, answer: Answer) -> None:
        """See Store.find."""
        if not self._accepting:
            raise _closed()
        self._waiting.append((question, answer))
        self._wake.set()

    async def flushed(self) -> None:
        """Wait until every lookup of before this call has its answer."""
        await self._flushes.flushed(len(self._waiting))

    async def close(self) -> None:
        """Answer waiting lookups, refuse new ones, end the task. Idempotent."""
        self._accepting = False
        if (task := self._task) is None:
            return
        try:
            await self.flushed()
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._run_batch()

    async def _run_batch(self) -> None:
        questions = [question for question, _ in self._waiting[:MAX_BATCH_QUESTIONS]]
        answers: Sequence[Found | StoreError]
        try:
            answers = await self._ask(questions)
            self._note(None)
        except StoreError as error:
            self._note(error)
            answers = [error] * len(questions)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next batch is tried
            wrapped = StoreError(StoreCode.UNAVAILABLE, "the message could not be looked up: try again", retry=True)
            wrapped.__cause__ = error
            self._note(wrapped)
            answers = [wrapped] * len(questions)
        self._answer(answers)

    def _answer(self, answers: Sequence[Found | StoreError]) -> None:
        """Remove the answered lookups from the queue and call their callbacks."""
        answered = self._waiting[: len(answers)]
        del self._waiting[: len(answers)]
        self._flushes.answered(len(answered))
        for (_, answer), found in zip(answered, answers, strict=True):
            try:
                answer(found)
            except Exception:
                log.exception("a callback of the store raised")

    def _note(self, error: StoreError | None) -> None:
        """Log only the first failing batch, and the first successful one after it."""
        if (error is not None) is self._failing:
            return
        self._failing = error is not None
        if error is not None:
            log.error("messages cannot be looked up", extra={"code": error.code, "cause": repr(error.__cause__)})
        else:
            log.warning("messages are looked up again")

    def _finished(self, _task: asyncio.Task[None]) -> None:
        """The task has ended, after `close`, with the loop, or by a bug. Answer every waiting caller."""
        self._task = None
        self._accepting = False
        self._answer([_closed()] * len(self._waiting))


@functools.cache
def find_sql(size: int) -> str:
    """A SELECT for up to `size` questions; the last parameter is their number.

    It returns rows only for questions with a result; the first column is the number of the question. Sizes are powers
    of two, as in _insert_sql of sqlite.py. (For a row value `IN` a list, SQLite would scan the whole index.)
    """
    rows = ",".join(["(?,?,?,?)"] * size)
    # Only question marks and a constant are inserted into the text.
    return f"""
        SELECT asked.column1, m.id, m.fecha, CASE WHEN asked.column4 THEN (
            SELECT json_group_array(cid) FROM (
                SELECT cid FROM mensajes WHERE de = asked.column2 AND cid IS NOT NULL LIMIT {MAX_CIDS + 1}
            )
        ) END
        FROM (SELECT * FROM (VALUES {rows}) LIMIT ?) AS asked
        LEFT JOIN mensajes AS m ON m.de = asked.column2 AND m.cid = asked.column3 AND m.cid IS NOT NULL
        WHERE m.id IS NOT NULL OR asked.column4
    """  # noqa: S608


def find_values(questions: Sequence[Question]) -> tuple[int, list[int | str | None]]:
    """The size of the statement and its parameters."""
    size = 1 << (len(questions) - 1).bit_length()
    values: list[int | str | None] = []
    for number, question in enumerate(questions):
        values += (number, question.de, question.cid, int(question.list_cids))
    values += [0] * (4 * (size - len(questions)))
    values.append(len(questions))
    return size, values


def found(questions: Sequence[Question], rows: Iterable[Sequence[Any]]) -> list[Found]:
    """The answers in the rows of the statement."""
    answers = [Found(None, None)] * len(questions)
    for number, message_id, fecha, listed in rows:
        stored = None if message_id is None else StoredAs(MessageId(message_id), fecha)
        cids = frozenset[str]() if listed is None else frozenset[str](json.loads(listed))
        answers[number] = Found(stored, None if listed is None or len(cids) > MAX_CIDS else cids)
    return answers


def _closed() -> StoreError:
    return StoreError(StoreCode.UNAVAILABLE, "the store is closed: try again later", retry=True)
