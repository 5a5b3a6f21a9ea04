"""A question to all other nodes, and their answers: in parts, within a time, and with who did not answer.
Rules N-21 and N-41.

    Question  [12, origin, number, what, about]
    Answer    [13, origin, to, number, part, is_last, [row, ...]]

The bus may lose either; then that node did not answer. A node that does not know what is asked says nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Final, NamedTuple

import msgspec

from chatd.base.errors import RefusedError
from chatd.base.tasks import Tasks
from chatd.chat.events import MAX_USER_CHARS
from chatd.chat.messages.ids import MAX_NODE

QUESTION_TAG: Final = 12
ANSWER_TAG: Final = 13
MAX_ROWS: Final = 500
"""In one part."""

PAUSE_S: Final = 0.005
"""Between two parts, so that the bus has room for messages."""

MAX_ANSWER_BYTES: Final = 33_554_432
"""Limit on all answers that are being received. No setting: it is far above what the sockets of all nodes take."""

MAX_ASKED: Final = 16
MAX_ANSWERED: Final = 16
"""Questions at a time."""

FIRST_BITS: Final = 48
"""An answer to the last process of this number must not be taken for one to this process."""

MAX_NUMBER: Final = 2**53

Node = Annotated[int, msgspec.Meta(ge=0, le=MAX_NODE)]
Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]
Row = dict[str, str | int]


class Question(msgspec.Struct, array_like=True, tag=QUESTION_TAG, frozen=True, forbid_unknown_fields=True):
    """`about` is a user, where `what` asks about one."""

    origin: Node
    number: Number
    what: Annotated[str, msgspec.Meta(max_length=32)]
    about: Annotated[str, msgspec.Meta(max_length=MAX_USER_CHARS)]


class Answer(msgspec.Struct, array_like=True, tag=ANSWER_TAG, frozen=True, forbid_unknown_fields=True):
    """A part of the answer to question `number` of node `to`. Parts count from 0."""

    origin: Node
    to: Node
    number: Number
    part: Number
    is_last: bool
    rows: Annotated[list[Row], msgspec.Meta(max_length=MAX_ROWS)]


class Found(NamedTuple):
    """What was answered, by node, and which nodes did not answer, or not all, in time."""

    rows: dict[int, list[Row]]
    unanswered: list[int]


@dataclasses.dataclass(slots=True)
class Asked:
    """A question that waits for answers; `parts` has, for each node that is to answer, the number of its next part."""

    parts: dict[int, int]
    rows: dict[int, list[Row]]
    done: asyncio.Event
    held_bytes: int = 0

    def awaits(self, answer: Answer) -> bool:
        """Not where a part was lost."""
        return self.parts.get(answer.origin) == answer.part

    def hear(self, answer: Answer, size_bytes: int) -> None:
        """One that it awaits."""
        self.held_bytes += size_bytes
        self.rows.setdefault(answer.origin, []).extend(answer.rows)
        self.parts[answer.origin] += 1
        if answer.is_last:
            del self.parts[answer.origin]
            if not self.parts:
                self.done.set()


class Questions:
    """Of one node, to it and by it. `cast` publishes; `answers` make the rows, by what is asked."""

    def __init__(self, number: int, cast: Callable[[Question | Answer], None], timeout_s: float) -> None:
        self.answers: Mapping[str, Callable[[str], Sequence[Row]]] = {}
        self.unanswered = 0  # how often a node did not answer in time
        self.excess = 0  # parts of answers for which there was no room
        self._node = number
        self._cast = cast
        self._timeout_s = timeout_s
        self._asked: dict[int, Asked] = {}
        self._count = secrets.randbits(FIRST_BITS)
        self._answering = Tasks()

    async def ask(self, nodes: Collection[int], what: str, about: str = "") -> Found:
        """Ask `nodes`. Raises RefusedError where too much is asked already."""
        if not nodes:
            return Found({}, [])
        if len(self._asked) >= MAX_ASKED:
            raise RefusedError("busy", f"{MAX_ASKED} questions to other nodes are under way: try again")
        self._count += 1
        asked = self._asked[self._count] = Asked(dict.fromkeys(nodes, 0), {}, asyncio.Event())
        self._cast(Question(self._node, self._count, what, about))
        try:
            async with asyncio.timeout(self._timeout_s):
                await asked.done.wait()
        except TimeoutError:
            self.unanswered += len(asked.parts)
        finally:
            self._asked = {number: other for number, other in self._asked.items() if other is not asked}
        return Found(asked.rows, sorted(asked.parts))

    def hear(self, frame: Question | Answer, size_bytes: int) -> None:
        """Of another node."""
        if isinstance(frame, Question):
            self._answer(frame)
        elif frame.to == self._node and frame.number in self._asked:
            self._take(self._asked[frame.number], frame, size_bytes)

    def _take(self, asked: Asked, answer: Answer, size_bytes: int) -> None:
        """A part for which there is no room is as one that the bus has lost."""
        if not asked.awaits(answer):
            return
        if sum(each.held_bytes for each in self._asked.values()) + size_bytes > MAX_ANSWER_BYTES:
            self.excess += 1
            return
        asked.hear(answer, size_bytes)

    def _answer(self, question: Question) -> None:
        answer = self.answers.get(question.what)
        if answer is not None and len(self._answering) < MAX_ANSWERED:
            self._answering.start(self._tell(question, answer(question.about)), f"answer to node {question.origin}")

    async def _tell(self, question: Question, rows: Sequence[Row]) -> None:
        for number, (part, is_last) in enumerate(_parts(iter(rows))):
            if number:
                await asyncio.sleep(PAUSE_S)
            self._cast(Answer(self._node, question.origin, question.number, number, is_last, part))


def _parts(rows: Iterator[Row]) -> Iterator[tuple[list[Row], bool]]:
    """At least one; with each, whether it is the last."""
    part = list(islice(rows, MAX_ROWS))
    while following := list(islice(rows, MAX_ROWS)):
        yield part, False
        part = following
    yield part, True
