"""Reading what was missed: a line of questions in front of the database, answered many at a time. Rule C-30.

However many clients come back at once, one statement runs at a time, and each has its turn in the order of arrival.
Clients that wait for the answer to their CONNECT go first, but never alone: one that reads on has its share.
One task for the line, which ends with it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from typing import Final, NamedTuple

from chatd.base.tasks import Tasks
from chatd.chat.config import ChatConfig
from chatd.chat.messages.feed import Feed
from chatd.store.base import Message, MessageId, Store, StoreCode, StoreError
from chatd.store.missed import Missed, Page

MAX_BATCH: Final = 32
_KEPT_FOR_OTHERS: Final = 8

# Of a page, and of all pages of one statement. Long messages make short pages.
MAX_ROWS: Final = 64
MAX_BATCH_CHARS: Final = 16_000_000

log = logging.getLogger("chatd.chat")


class Stretch(NamedTuple):
    """What a member missed up to `upto`: all of it if it is `whole`, else the beginning.

    `beyond`: it is more than the limit. Messages that were delivered but not stored are in none.
    """

    messages: list[Message]
    upto: MessageId
    whole: bool
    beyond: bool


class Question(NamedTuple):
    """Without `upto`, it reads up to the last message delivered at the time of the answer."""

    user: str
    is_admin: bool
    after: MessageId
    upto: MessageId | None = None


_Waiting = tuple[Question, "asyncio.Future[Stretch]"]


class Pages:
    """The line."""

    def __init__(self, config: ChatConfig, feed: Feed, store: Store, tasks: Tasks) -> None:
        self._feed = feed
        self._store = store
        self._tasks = tasks
        self._limit = config.recovery_limit
        # What is delivered when it is stored is there already.
        self._delivers_first = config.deliver == "at_once"
        self._batch = max(1, min(MAX_BATCH, MAX_BATCH_CHARS // config.max_message_chars))
        self._rows = max(1, min(MAX_ROWS, MAX_BATCH_CHARS // (self._batch * config.max_message_chars)))
        self._arriving: deque[_Waiting] = deque()
        self._reading_on: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def first(self, question: Question) -> Stretch:
        """For a client that is at the door. Raises StoreError."""
        return await self._ask(self._arriving, question)

    async def next(self, question: Question) -> Stretch:
        """For one that is in. Raises StoreError."""
        return await self._ask(self._reading_on, question)

    async def _ask(self, line: deque[_Waiting], question: Question) -> Stretch:
        answer: asyncio.Future[Stretch] = asyncio.get_running_loop().create_future()
        line.append((question, answer))
        if self._task is None:
            self._task = self._tasks.start(self._work(), "reading what was missed")
        return await answer

    async def _work(self) -> None:
        try:
            while batch := self._next_batch():
                await self._answer(batch)
        finally:
            self._task = None
            for _, answer in itertools.chain(self._arriving, self._reading_on):  # the loop ends, or this is a bug
                answer.cancel()

    def _next_batch(self) -> list[_Waiting]:
        """The next questions, without those of disconnected clients."""
        batch: list[_Waiting] = []
        while not batch and (self._arriving or self._reading_on):
            others = min(len(self._reading_on), max(_KEPT_FOR_OTHERS, self._batch - len(self._arriving)))
            taken = _take(self._arriving, max(1, self._batch - others)) + _take(self._reading_on, others)
            batch = [waiting for waiting in taken if not waiting[1].done()]
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        upto = self._feed.position
        try:
            if self._delivers_first:
                await self._store.flushed()
            pages = await self._read([question for question, _ in batch], upto)
        except StoreError as error:
            _refuse(batch, error)
        except Exception:
            log.exception("what was missed could not be read")
            _refuse(batch, StoreError(StoreCode.UNAVAILABLE, "the database cannot be read", retry=True))
        else:
            for (question, answer), page in zip(batch, pages, strict=True):
                if not answer.done():
                    whole = len(page.messages) < self._rows
                    answer.set_result(Stretch(page.messages, question.upto or upto, whole, page.beyond))

    async def _read(self, questions: list[Question], upto: MessageId) -> list[Page]:
        asked = [Missed(each.user, each.is_admin, each.after, each.upto or upto) for each in questions]
        return await self._store.library.missed(asked, self._rows, self._limit)


def _refuse(batch: list[_Waiting], error: StoreError) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)


def _take(line: deque[_Waiting], count: int) -> list[_Waiting]:
    return [line.popleft() for _ in range(min(count, len(line)))]
