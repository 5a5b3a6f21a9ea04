"""A store whose commits and reads a test ends by hand."""

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
    """A Store as the router sees it. A read sees what is durable at its beginning, and is answered at its end."""

    def __init__(self, rows: Sequence[Message] = (), *, max_cids: int = MAX_CIDS) -> None:
        self.rows = list(rows)
        self.asked: list[Question] = []  # every question so far
        self.full: StoreError | None = None
        self._max_cids = max_cids
        self._commits: list[tuple[Message, Done]] = []
        self._questions: list[tuple[Question, Answer]] = []
        self._read: list[Found] = []  # the results of the read that has begun

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        if self.full is not None:
            raise self.full
        self._commits.append((message, done))

    def saw(self, user: str, fecha_ms: int) -> None:
        """Does nothing: no test reads it."""

    def find(self, question: Question, answer: Answer) -> None:
        self.asked.append(question)
        self._questions.append((question, answer))

    def commit(self, error: StoreError | None = None, *, kept: bool = False, count: int | None = None) -> list[Message]:
        """End the commit of the first `count` messages, or of all; `kept`: rows are stored though the commit failed."""
        count = len(self._commits) if count is None else count
        batch, self._commits = self._commits[:count], self._commits[count:]
        if error is None or kept:
            self.rows += [message for message, _ in batch]
            assert self.doubled() == []
        for _, done in batch:
            done(error)
        return [message for message, _ in batch]

    def kill(self, kept: int) -> list[Message]:
        """End the process with only `kept` of the waiting rows stored; return the others."""
        batch, self._commits, self._questions, self._read = self._commits, [], [], []
        self.rows += [message for message, _ in batch[:kept]]
        assert self.doubled() == []
        return [message for message, _ in batch[kept:]]

    def begin_reading(self) -> None:
        self._read = [self._look_up(question) for question, _ in self._questions]

    def end_reading(self, error: StoreError | None = None) -> None:
        """Answer the questions of the last read, or all waiting questions if there is an error."""
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
        """Pairs of sender and cid with more than one row."""
        named = [(row.de, row.cid) for row in self.rows if row.cid is not None]
        return [pair for pair in dict.fromkeys(named) if named.count(pair) > 1]

    def _look_up(self, question: Question) -> Found:
        mine = {row.cid: StoredAs(row.id, row.fecha) for row in self.rows if row.de == question.de}
        cids = frozenset(cid for cid in mine if cid is not None)
        return Found(mine.get(question.cid), cids if question.list_cids and len(cids) <= self._max_cids else None)
