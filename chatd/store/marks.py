"""What moves forward only: how far a user has read a conversation, and when a user was last seen.

One row for each reader and conversation, and for each user. Of several marks of one key that wait for the disk, one row
is kept, which lies furthest: a user who is seen a thousand times while a commit runs takes one place in the queue.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from chatd.shares import Shares

from .base import Done, StoreCode, StoreError
from .writer import GroupCommit

log = logging.getLogger("chatd.store")

MAX_MARKS: Final = 10_000
"""Marks of each kind that may wait for the disk; a user who has none there may add one all the same."""

MAX_MARKS_EACH: Final = 1_000
"""Of one user, acknowledgements that wait included."""

NOTE_DELAY_S: Final = 0.05
"""How long a mark for which nobody waits may rest, so that those who come at once share commits: 40 of the 500 µs that
it costs to join.
"""

Key = tuple[str, ...]
"""The user whose mark it is, then what else its table is keyed by."""

Furthest = Mapping[Key, int]
"""Of each key the value that lies furthest."""

Write = Callable[["Table", Furthest], Awaitable[object]]


class Table:
    """Where marks of a kind are kept: its name, the columns of its key, and the column that only grows."""

    __slots__ = ("key", "name", "value")

    def __init__(self, name: str, key: Key, value: str) -> None:
        self.name = name
        self.key = key
        self.value = value


READ: Final = Table("leidos", ("lector", "con"), "hasta")
SEEN: Final = Table("vistos", ("user",), "fecha")


class Waiting:
    """One row on its way to the disk, and all who want to know when it is there."""

    __slots__ = ("dones", "key", "value")

    def __init__(self, key: Key, value: int) -> None:
        self.key = key
        self.value = value
        self.dones: list[Done] = []


class MarkQueue:
    """The queue of one kind of marks. `write` commits all of them, or raises StoreError.

    It leaves a mark alone that lies further already.
    """

    def __init__(self, what: str, table: Table, write: Write) -> None:
        self._what = what
        self._table = table
        self._write = write
        self._shares: Shares[str] = Shares(MAX_MARKS, MAX_MARKS_EACH)
        self._open: dict[Key, Waiting] = {}  # no batch has them yet, so they can still grow
        # The bound is that of the shares, which count by user.
        self._queue: GroupCommit[Waiting] = GroupCommit(
            what, self._store, lambda _: 0, max_rows=sys.maxsize, max_bytes=sys.maxsize, delay_s=NOTE_DELAY_S
        )

    @property
    def waiting(self) -> int:
        return self._queue.waiting

    def start(self) -> None:
        """See GroupCommit.start."""
        self._queue.start()

    def put(self, key: Key, value: int, done: Done) -> None:
        """See Store.mark_read. Raises StoreError."""
        if not self._shares.take(key[0]):
            raise StoreError(StoreCode.BUSY, f"too many {self._what} are waiting to be stored: try again", retry=True)
        try:
            self._row(key, value, patient=False).dones.append(done)
        except StoreError:
            self._shares.give_back(key[0])
            raise

    def note(self, key: Key, value: int) -> None:
        """As `put`, with nobody to answer: no user has more than two rows of a key, one of them being written.

        It is written within NOTE_DELAY_S, or with the next mark for which somebody waits.
        """
        self._row(key, value, patient=True)

    async def flushed(self) -> None:
        """See Store.flushed."""
        await self._queue.flushed()

    async def close(self) -> None:
        """See GroupCommit.close."""
        await self._queue.close()

    def _row(self, key: Key, value: int, *, patient: bool) -> Waiting:
        """The row of `key` that no batch has yet, with `value` at least."""
        row = self._open.get(key)
        if row is None:
            row = Waiting(key, value)
            self._queue.put(row, functools.partial(self._answer, row), patient=patient)
            self._open[key] = row
            return row
        row.value = max(row.value, value)
        if not patient:
            self._queue.hurry()
        return row

    async def _store(self, batch: Sequence[Waiting]) -> None:
        """Raises StoreError."""
        for row in batch:
            self._shut(row)
        await self._write(self._table, furthest(batch))

    def _answer(self, row: Waiting, error: StoreError | None) -> None:
        self._shut(row)  # a fault answers rows that no batch had
        self._shares.give_back(row.key[0], len(row.dones))
        for done in row.dones:
            try:
                done(error)
            except Exception:
                log.exception("a callback of the store raised")

    def _shut(self, row: Waiting) -> None:
        if self._open.get(row.key) is row:
            del self._open[row.key]


def furthest(batch: Sequence[Waiting]) -> Furthest:
    """A key may be there twice after a batch that failed."""
    values: dict[Key, int] = {}
    for row in batch:
        values[row.key] = max(row.value, values.get(row.key, row.value))
    return values


def upsert(table: Table, marks: Furthest) -> tuple[str, list[int | str | None]]:
    """The statement of SQLite that stores them, and its parameters."""
    width = len(table.key) + 1
    size = 1 << (len(marks) - 1).bit_length()
    values: list[int | str | None] = []
    for key, value in marks.items():
        values += (*key, value)
    values += [0] * (width * (size - len(marks)))
    values.append(len(marks))
    return _upsert_sql(table.name, table.key, table.value, size), values


@functools.cache
def _upsert_sql(table: str, key: tuple[str, ...], value: str, size: int) -> str:
    """For up to `size` rows; the last parameter says how many. WHERE is there because ON could belong to a join."""
    rows = ",".join([f"({','.join('?' * (len(key) + 1))})"] * size)
    # Only names of ours and question marks are put into the text.
    return f"""
        INSERT INTO {table} ({",".join(key)}, {value}) SELECT * FROM (VALUES {rows}) WHERE true LIMIT ?
        ON CONFLICT ({",".join(key)}) DO UPDATE SET {value} = excluded.{value} WHERE excluded.{value} > {value}
    """  # noqa: S608
