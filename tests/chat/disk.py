"""A store made by hand: what is durable, when a commit ends or fails, when the database is read."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.store.base import (
    MAX_CIDS,
    Answer,
    Done,
    Found,
    Message,
    Question,
    StoreCode,
    StoredAs,
    StoreError,
)

BROKEN = StoreError(StoreCode.UNAVAILABLE, "the disk is broken: try again", retry=True)


class Disk:
    """A Store as far as a router sees it. Reading has a beginning, at which it sees what is durable, and an end."""

    def __init__(self, rows: Sequence[Message] = (), *, max_cids: int = MAX_CIDS) -> None:
        self.rows = list(rows)
        self.asked: list[Question] = []  # every question that there was
        self.full: StoreError | None = None
        self._max_cids = max_cids
        self._commits: list[tuple[Message, Done]] = []
        self._questions: list[tuple[Question, Answer]] = []
        self._read: list[Found] = []  # what a reading that began has seen

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        if self.full is not None:
            raise self.full
        self._commits.append((message, done))

    def saw(self, user: str, fecha_ms: int) -> None:
        """Nobody asks for it again."""

    def find(self, question: Question, answer: Answer) -> None:
        self.asked.append(question)
        self._questions.append((question, answer))

    def commit(self, error: StoreError | None = None, *, kept: bool = False, count: int | None = None) -> list[Message]:
        """End the commit of the first `count` that were put, or of all; `kept`: the row is there although it failed."""
        count = len(self._commits) if count is None else count
        batch, self._commits = self._commits[:count], self._commits[count:]
        if error is None or kept:
            self.rows += [message for message, _ in batch]
            assert self.doubled() == []
        for _, done in batch:
            done(error)
        return [message for message, _ in batch]

    def kill(self, kept: int) -> list[Message]:
        """The process ends, and only so many of the rows that were put are there; returns the others."""
        batch, self._commits, self._questions, self._read = self._commits, [], [], []
        self.rows += [message for message, _ in batch[:kept]]
        assert self.doubled() == []
        return [message for message, _ in batch[kept:]]

    def begin_reading(self) -> None:
        self._read = [self._look_up(question) for question, _ in self._questions]

    def end_reading(self, error: StoreError | None = None) -> None:
        """Answer the questions that the last reading has seen, with an error all of those that wait."""
        if error is None:
            answers: Sequence[Found | StoreError] = self._read
        else:
            answers = [error] * len(self._questions)
        answered, self._questions = self._questions[: len(answers)], self._questions[len(answers) :]
        self._read = []
        for (_, answer), found in zip(answered, answers, strict=True):
            answer(found)

    def read(self) -> None:
        """Answer every question."""
        self.begin_reading()
        self.end_reading()

    @property
    def idle(self) -> bool:
        return not self._commits and not self._questions

    def doubled(self) -> list[tuple[str, str]]:
        """Pairs of sender and cid that have more than one row."""
        named = [(row.de, row.cid) for row in self.rows if row.cid is not None]
        return [pair for pair in dict.fromkeys(named) if named.count(pair) > 1]

    def _look_up(self, question: Question) -> Found:
        mine = {row.cid: StoredAs(row.id, row.fecha) for row in self.rows if row.de == question.de}
        cids = frozenset(cid for cid in mine if cid is not None)
        return Found(mine.get(question.cid), cids if question.list_cids and len(cids) <= self._max_cids else None)
