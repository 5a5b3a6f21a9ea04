"""Senders that resend every message until it is acknowledged, and the book of all answers.

A sender has a window of unacknowledged messages, and outlives its connection: after a reconnect it first resends the
unacknowledged messages with the same `cid`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tests.chat.people import Person
from tests.conformance.wire import ClosedError

WINDOW: Final = 8

Enter = Callable[[str], Awaitable[Person]]


@dataclasses.dataclass(slots=True)
class Book:
    """All messages that the senders of a test sent, and the answers of the daemon."""

    sent: set[str] = dataclasses.field(default_factory=set)
    acknowledged: dict[str, int] = dataclasses.field(default_factory=dict)  # text to id
    refused: Counter[str] = dataclasses.field(default_factory=Counter)
    news: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def note(self, text: str, answer: Any) -> bool:
        """Record an answer; return whether it settles the message."""
        if answer["ok"]:
            self.acknowledged[text] = int(answer["id"])
        else:
            self.refused[answer["error"]["code"]] += 1
        self.news.set()
        return bool(answer["ok"])

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for an answer that makes `condition` true."""
        while not condition():
            self.news.clear()
            await self.news.wait()

    async def more_acknowledged(self, count: int) -> None:
        """Wait for `count` more acknowledgements."""
        goal = len(self.acknowledged) + count
        await self.until(lambda: len(self.acknowledged) >= goal)


class Sender:
    """One user that writes to `root` without a pause."""

    def __init__(self, name: str, book: Book) -> None:
        self.name = name
        self._book = book
        self._numbers = itertools.count()
        self._again: deque[str] = deque()  # refused, or unacknowledged at the end of a connection
        self._under_way: deque[tuple[str, int]] = deque()

    async def run(self, enter: Enter) -> None:
        """Connect and write until the connection ends for any reason."""
        with contextlib.suppress(ClosedError, OSError, EOFError):
            person = await enter(self.name)
            try:
                await self._write(person)
            finally:
                await self._hear_the_rest(person)
                person.websocket.close()

    async def settle(self, enter: Enter) -> None:
        """Connect, and write until every message is acknowledged."""
        person = await enter(self.name)
        while self._again or self._under_way:
            while self._again:
                await self._begin(person, self._again.popleft())
            await self._hear(person)
        person.websocket.close()

    async def _write(self, person: Person) -> None:
        while True:
            await self._begin(person, self._again.popleft() if self._again else self._compose())
            if len(self._under_way) >= WINDOW:
                await self._hear(person)

    async def _begin(self, person: Person, text: str) -> None:
        self._under_way.append((text, -1))
        ack_id = await person.begin("mensaje_privado", {"para": "root", "mensaje": text, "cid": text})
        self._under_way[-1] = text, ack_id

    async def _hear(self, person: Person) -> None:
        text, ack_id = self._under_way[0]
        answer = await person.answer(ack_id)
        self._under_way.popleft()
        if not self._book.note(text, answer):
            self._again.append(text)

    async def _hear_the_rest(self, person: Person) -> None:
        """Acknowledgements that the daemon sent before the end count, even if they are read after it."""
        with contextlib.suppress(ClosedError, OSError, EOFError):
            while self._under_way:
                await self._hear(person)
        self._again.extendleft(text for text, _ in reversed(self._under_way))
        self._under_way.clear()

    def _compose(self) -> str:
        text = f"{self.name} {next(self._numbers)}"
        self._book.sent.add(text)
        return text
