"""Read marks (how far a user has read a conversation) and seen marks (when a user was last seen).

One row for each reader and conversation, and one for each user. These marks only move forward; in addition, a reader
may mark a conversation as unread again. Marks of one key that wait for a commit are merged into one row: a user who is
seen a thousand times during a commit takes one place in the queue.
"""

from __future__ import annotations

import functools
import itertools
import logging
import operator
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from chatd.base.shares import Shares

from .base import Done, StoreCode, StoreError
from .writer import GroupCommit

log = logging.getLogger("chatd.store")

MAX_MARKS: Final = 10_000
"""Marks of each kind that may wait for the disk; a user without a waiting mark may always add one."""

MAX_MARKS_EACH: Final = 1_000
"""Marks of one user that may wait; each waiting acknowledgement counts."""

NOTE_DELAY_S: Final = 0.05
"""How long a mark without a waiting client may wait, so that marks share a commit. Saves 40 of the 500 µs of a join."""

Key = tuple[str, ...]
"""The primary key of a mark: its user, then the other columns."""

Furthest = Mapping[Key, int]
"""The merged value of each key."""

Write = Callable[["Table", Furthest], Awaitable[object]]


class Table:
    """The table of a kind of marks: its name, the columns of its key, and the column of its value."""

    __slots__ = ("keeps", "key", "moved", "name", "value", "zero")

    def __init__(
        self,
        name: str,
        key: Key,
        value: str,
        *,
        moved: str | None = None,
        keeps: Callable[[int, int], int] = max,
        zero: str | None = None,
    ) -> None:
        """`moved`: the SQL of the update, for both databases; by default the value only grows.

        `keeps`: merges two values. `zero`: another column, which a new row sets to 0.
        """
        self.name = name
        self.key = key
        self.value = value
        self.moved = moved or f"{value} = excluded.{value} WHERE excluded.{value} > {name}.{value}"
        self.keeps = keeps
        self.zero = zero


GO_BACK: Final = "ALTER TABLE leidos ADD COLUMN vuelta INTEGER"
"""A step of the schema. `vuelta`: messages after this id are unread, whatever `hasta` is; mostly NULL."""

# A later read mark removes the mark as unread.
_READ_ON: Final = """
    hasta = CASE WHEN excluded.hasta > leidos.hasta THEN excluded.hasta ELSE leidos.hasta END,
    vuelta = CASE WHEN excluded.hasta > leidos.vuelta THEN NULL ELSE leidos.vuelta END
    WHERE excluded.hasta > leidos.hasta OR excluded.hasta > leidos.vuelta
"""
_GONE_BACK: Final = "vuelta = excluded.vuelta WHERE leidos.vuelta IS NULL OR excluded.vuelta < leidos.vuelta"

READ: Final = Table("leidos", ("lector", "con"), "hasta", moved=_READ_ON)
BACK: Final = Table("leidos", ("lector", "con"), "vuelta", moved=_GONE_BACK, keeps=min, zero="hasta")
ALL_READ: Final = Table("leidos", ("lector", "con"), "hasta", moved=_READ_ON)
SEEN: Final = Table("vistos", ("user",), "fecha")

EVERYBODY: Final = ""
"""A name that no user has. As `con`: all conversations of a reader; as `lector`: all admins."""

FORGET_BACK: Final = "UPDATE leidos SET vuelta = NULL WHERE lector = ?1 AND vuelta < ?2"
"""Removes the marks as unread of the other conversations of a reader, for a mark in ALL_READ."""

# Messages after the smaller of `hasta` and `vuelta` are unread.
_BOUND: Final = "CASE WHEN min(vuelta) < max(hasta) THEN min(vuelta) ELSE max(hasta) END"


def read_upto(reader: str, con: str, *, by_admin: bool = False) -> str:
    """SQL for the id after which all messages are unread, for both databases; NULL without a mark.

    `reader` and `con` are SQL expressions; a column `con` needs its table's name. `by_admin`: for messages that all
    admins may read, which an import may have marked for all of them.
    """
    readers = f"lector IN ({reader}, '')" if by_admin else f"lector = {reader}"
    return f"(SELECT {_BOUND} FROM leidos WHERE {readers} AND leidos.con IN ({con}, ''))"  # noqa: S608


class Waiting:
    """One waiting row, and its callbacks."""

    __slots__ = ("dones", "key", "table", "value")

    def __init__(self, table: Table, key: Key, value: int) -> None:
        self.table = table
        self.key = key
        self.value = value
        self.dones: list[Done] = []


class MarkQueue:
    """The queue of one kind of marks. `write` commits all marks of a batch, or raises StoreError."""

    def __init__(self, what: str, table: Table, write: Write) -> None:
        self._what = what
        self._table = table
        self._write = write
        self._shares: Shares[str] = Shares(MAX_MARKS, MAX_MARKS_EACH)
        self._open: dict[Key, Waiting] = {}  # rows that are in no batch yet, so marks can be merged into them
        # `_shares` limits the queue, per user.
        self._queue: GroupCommit[Waiting] = GroupCommit(
            what, self._store, lambda _: 0, max_rows=sys.maxsize, max_bytes=sys.maxsize, delay_s=NOTE_DELAY_S
        )

    @property
    def waiting(self) -> int:
        return self._queue.waiting

    def start(self) -> None:
        """See GroupCommit.start."""
        self._queue.start()

    def put(self, key: Key, value: int, done: Done, table: Table | None = None) -> None:
        """See Store.mark_read. `table`: another update of the same marks. Raises StoreError."""
        if not self._shares.take(key[0]):
            raise StoreError(StoreCode.BUSY, f"too many {self._what} are waiting to be stored: try again", retry=True)
        try:
            row = self._row(key, value, patient=False) if table is None else self._row_of(table, key, value)
            row.dones.append(done)
        except StoreError:
            self._shares.give_back(key[0])
            raise

    def note(self, key: Key, value: int) -> None:
        """As `put`, without an answer. A key has at most two rows, one of them in the current batch.

        The mark is written within NOTE_DELAY_S, or with the next mark that a client waits for.
        """
        self._row(key, value, patient=True)

    async def flushed(self) -> None:
        """See Store.flushed."""
        await self._queue.flushed()

    async def close(self) -> None:
        """See GroupCommit.close."""
        await self._queue.close()

    def _row(self, key: Key, value: int, *, patient: bool) -> Waiting:
        """The waiting row of `key` that is in no batch yet, with `value` merged into it."""
        row = self._open.get(key)
        if row is None:
            row = Waiting(self._table, key, value)
            self._queue.put(row, functools.partial(self._answer, row), patient=patient)
            self._open[key] = row
            return row
        row.value = self._table.keeps(row.value, value)
        if not patient:
            self._queue.hurry()
        return row

    def _row_of(self, table: Table, key: Key, value: int) -> Waiting:
        """A new row for `key`. Earlier marks are written before it, later marks after it."""
        row = Waiting(table, key, value)
        self._queue.put(row, functools.partial(self._answer, row))
        self._open.pop(key, None)
        return row

    async def _store(self, batch: Sequence[Waiting]) -> None:
        """Raises StoreError."""
        for row in batch:
            self._shut(row)
        for table, rows in itertools.groupby(batch, operator.attrgetter("table")):
            await self._write(table, merged(table, rows))

    def _answer(self, row: Waiting, error: StoreError | None) -> None:
        self._shut(row)  # an error also answers rows that were in no batch
        self._shares.give_back(row.key[0], len(row.dones))
        for done in row.dones:
            try:
                done(error)
            except Exception:
                log.exception("a callback of the store raised")

    def _shut(self, row: Waiting) -> None:
        if self._open.get(row.key) is row:
            del self._open[row.key]


def merged(table: Table, rows: Iterable[Waiting]) -> Furthest:
    """One value for each key of `rows`, where a key may appear twice."""
    values: dict[Key, int] = {}
    for row in rows:
        values[row.key] = table.keeps(row.value, values.get(row.key, row.value))
    return values


def upsert(table: Table, marks: Furthest) -> tuple[str, list[int | str | None]]:
    """The statement of SQLite that stores `marks`, and its parameters."""
    width = len(table.key) + 1
    size = 1 << (len(marks) - 1).bit_length()
    values: list[int | str | None] = []
    for key, value in marks.items():
        values += (*key, value)
    values += [0] * (width * (size - len(marks)))
    values.append(len(marks))
    return _upsert_sql(table, size), values


@functools.cache
def _upsert_sql(table: Table, size: int) -> str:
    """For up to `size` rows; the last parameter is their number. Without WHERE, SQLite would parse ON as a join."""
    key = ",".join(table.key)
    rows = ",".join([f"({','.join('?' * (len(table.key) + 1))})"] * size)
    column, zero = ("", "") if table.zero is None else (f", {table.zero}", ", 0")
    # Only names of tables and question marks are inserted into the text.
    return f"""
        INSERT INTO {table.name} ({key}, {table.value}{column}) SELECT *{zero} FROM (VALUES {rows}) WHERE true LIMIT ?
        ON CONFLICT ({key}) DO UPDATE SET {table.moved}
    """  # noqa: S608
