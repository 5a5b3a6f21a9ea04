"""The interface of a store: messages, errors and methods, independent of the database.

SQLite is in sqlite.py, PostgreSQL in postgres/; both are built on queued.py. Queries of the past are in library.py.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NewType, Protocol

import msgspec

from chatd.base.errors import RefusedError
from chatd.base.histogram import ROWS, SECONDS, Histogram

if TYPE_CHECKING:
    from .doubt import Doubt
    from .library import Library
    from .positions import Position

MessageId = NewType("MessageId", int)  # grows with time, see chat/messages/ids.py; a decimal string on the wire

MAX_CIDS: Final = 1_000
"""A sender with more cids gets no list of them in the answer to `find`."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One row of `mensajes`. A Struct because one is made for every message: 0.2 µs against 1.1 µs for a dataclass.

    `fecha`: milliseconds since the epoch (1970, UTC). `supervisado`: the sender was not an admin, so every admin may
    read the message. `cid`: the id that the sender made, unique among its messages. The texts hold no lone surrogates,
    which have no UTF-8 form and are refused.
    """

    id: MessageId
    de: str
    para: str
    mensaje: str
    fecha: int
    supervisado: bool
    cid: str | None = None


class StoredAs(NamedTuple):
    """The id and date of a stored message, for its sender."""

    id: MessageId
    fecha: int


class Question(NamedTuple):
    """A lookup of the message of `de` with that `cid`. `list_cids`: also return all cids of `de`."""

    de: str
    cid: str
    list_cids: bool


class Found(NamedTuple):
    """The answer to a Question. `stored` is None if there is no such message.

    `cids`: those of all stored messages of the sender; None if not asked for, or more than MAX_CIDS.
    """

    stored: StoredAs | None
    cids: frozenset[str] | None


class Used(NamedTuple):
    """Size of a database in bytes. `log_bytes` is None for PostgreSQL, whose log belongs to the server."""

    database_bytes: int
    log_bytes: int | None


class StoreCode(enum.StrEnum):
    """Why a row was not stored, as clients read it in `error.code`."""

    UNAVAILABLE = "store_unavailable"  # locked by another program, read-only, an I/O error, closed
    FULL = "store_full"  # the disk is full
    BUSY = "store_busy"  # the queue is full
    REJECTED = "store_rejected"  # this row violates a rule of the table
    EXHAUSTED = "store_exhausted"  # no message id is left


class StoreError(RefusedError):
    """A row was not stored.

    `message` is a sentence for the sender; `__cause__` has the error of the database, for the log. `retry`: the same
    message may be accepted later. After an I/O error or a power cut during a commit, the row may be stored in spite of
    this error. `of_a_row`: this row caused the error, not the other rows of its batch. `doubt`: the group of the row,
    if the outcome of its commit is unknown.
    """

    code: StoreCode
    doubt: Doubt | None = None

    def __init__(self, code: StoreCode, message: str, *, retry: bool, of_a_row: bool = False) -> None:
        super().__init__(code, message)
        self.retry = retry
        self.of_a_row = of_a_row or code is StoreCode.REJECTED


Done = Callable[[StoreError | None], None]
Answer = Callable[[Found | StoreError], None]


class Rows(Protocol):
    """A read-only connection, for the queries of history.py, conversations.py and missed.py."""

    async def rows(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """All rows of one SELECT, which sees all commits before its start. Raises StoreError.

        Statements run one after the other: the caller must limit how many wait, and how much one reads.
        """


@dataclasses.dataclass(slots=True)
class StoreCounters:
    """Counters of the writer since it was made; they only grow.

    `answer_s` is measured from `put` to `done`: the time of an acknowledgement.
    """

    batches: int = 0  # successful commits
    rows: int = 0  # durable rows
    failures: int = 0  # rows that were answered with an error
    refused: int = 0  # rows that `put` refused, because the queue was full
    deleted: int = 0  # rows that retention deleted
    retention_waits: bool = False  # retention is paused because the clock is in doubt
    batch_rows: Histogram = dataclasses.field(default_factory=lambda: Histogram(ROWS))
    commit_s: Histogram = dataclasses.field(default_factory=lambda: Histogram(SECONDS))
    answer_s: Histogram = dataclasses.field(default_factory=lambda: Histogram(SECONDS))


class Store(Protocol):
    """Stores messages. Every call comes from the thread of the event loop."""

    @property
    def counters(self) -> StoreCounters: ...

    @property
    def waiting(self) -> int:
        """The number of rows, marks and lookups without an answer yet."""

    @property
    def free_bytes(self) -> int | None:
        """Free bytes on the disk of the database, some seconds old; None for PostgreSQL."""

    @property
    def used(self) -> Used | None:
        """The size of the database, at most a minute old; None until it is known."""

    @property
    def displaced(self) -> bool:
        """Whether a file of the database was replaced or moved while it was open."""

    @property
    def library(self) -> Library:
        """Queries of the past. They do not delay `find`."""

    @property
    def recovery_key(self) -> bytes:
        """32 random bytes, made when the database was opened for the first time. Only after `open`."""

    async def open(self) -> MessageId | None:
        """Lock, create or migrate the database, and start to write. Returns the greatest stored id.

        Raises ConfigError after closing and unlocking everything again.
        """

    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """Run one statement in SQL of both databases, as a transaction of its own. Returns its rows. Raises StoreError.

        Its parameters are ?1, ?2 and so on; each must be used.
        """

    def sweep_turn(self) -> AbstractAsyncContextManager[bool]:
        """See OldRows.sweep_turn in retention.py."""

    async def query(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """As `run`, for a SELECT: it does not wait for commits. The caller must limit how many wait."""

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """See OldRows.prune in retention.py."""

    async def prune_astray(self, before_ms: int) -> int:
        """See OldRows.prune_astray."""

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        """Queue a row. Never blocks. `patient`: no client waits for `done`, so the commit may wait for more rows.

        `done` is called once, from the loop thread, never from within this call, in the order of the calls to
        `put`: with None when the row is durable, else with the error. It must not raise.

        Raises StoreError, and then never calls `done`: BUSY if the queue is full, UNAVAILABLE if the store is not open.
        """

    def find(self, question: Question, answer: Answer) -> None:
        """Look up a message. Never blocks, does not wait for commits.

        `answer` is called once, from the loop thread, never from within this call, in the order of the calls to
        `find`. It must not raise. The lookup sees every row whose `done` was called before this call.

        Raises StoreError, and then never calls `answer`: UNAVAILABLE if the store is not open. The queue has no limit:
        the caller must have one.
        """

    def mark_read(self, lector: str, con: str, hasta: MessageId, done: Done) -> None:
        """Store that `lector` has read the conversation with `con` up to `hasta`. A greater mark is kept. Never blocks.

        `done` and errors: as with `put`; the order holds only among marks of one reader and conversation. Marks that
        wait at the same time are stored as one row. BUSY: too many marks of `lector` wait.
        """

    def mark_unread(self, lector: str, con: str, desde: MessageId, done: Done) -> None:
        """Store that messages of `con` from `desde` on are unread for `lector`, until it reads them. As `mark_read`."""

    def mark_all_read(self, lector: str, hasta: MessageId, done: Done) -> None:
        """Store that `lector` has read all messages of all authors up to `hasta`. As `mark_read`."""

    def saw(self, user: str, fecha_ms: int) -> None:
        """Store when `user` was last seen; a later time is kept. Never blocks, never raises.

        At most one time per user waits for a commit. A time that cannot be stored is lost and logged.
        """

    def log_of(self, message: MessageId) -> int:
        """The log that has `message`; see positions.py."""

    async def log_from(self, begin: Position | None) -> Position:
        """The position at which a reader that was at `begin` reads on; None: the end of the log. Raises StoreError."""

    async def log_after(self, position: Position, limit: int) -> list[Message]:
        """At most `limit` committed messages after `position`, in the order of their ids. Raises StoreError."""

    def hook_turn(self, key: int) -> AbstractAsyncContextManager[bool]:
        """Whether this daemon may serve the webhook `key` until the end of the block: one node may at a time.

        Raises StoreError at its beginning, never at its end.
        """

    async def fault(self) -> str | None:
        """Why messages cannot be stored now, as a sentence; None if they can."""

    def sum_up(self, done: Done) -> None:
        """Update the list of conversations from the stored messages. Never blocks. `done` and errors: as with `put`."""

    async def flushed(self) -> None:
        """Wait until every lookup, row and mark of before this call has its answer, and the flushes of `also_flush`."""

    def also_flush(self, flush: Callable[[], Awaitable[None]]) -> None:
        """Register the flush of data that is stored by `run`; `flushed` awaits it first."""

    async def close(self) -> None:
        """Commit waiting rows, close, unlock. Idempotent."""
