"""What a store is: the message it keeps, the errors it answers with, the calls it takes.

Nothing here knows of a database. SQLite is in sqlite.py, PostgreSQL in postgres/; both stand on queued.py. What is read
is in library.py.
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
"""A sender with more of them has no list in the answer to `find`."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One row of `mensajes`. A Struct because one is made for every message: 0.2 µs against 1.1 µs for a dataclass.

    `fecha` is milliseconds since the epoch (1970, UTC). `supervisado` says that the sender was no admin: then
    every admin may read it. `cid` is the id that the sender made, and no two messages of one sender have the same.
    The texts hold no lone surrogates: those have no UTF-8 form, and are refused.
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
    """Is there a message of `de` with that `cid`; and `list_cids`, which others has `de`?"""

    de: str
    cid: str
    list_cids: bool


class Found(NamedTuple):
    """The answer to a Question: no message, or under what it is stored.

    `cids` are all that the sender's durable messages have; None if they were not asked for, or are more than MAX_CIDS.
    """

    stored: StoredAs | None
    cids: frozenset[str] | None


class Used(NamedTuple):
    """Bytes that a database takes: `log_bytes` is None where its log is the server's."""

    database_bytes: int
    log_bytes: int | None


class StoreCode(enum.StrEnum):
    """Why a row was not stored, as clients read it in `error.code`."""

    UNAVAILABLE = "store_unavailable"  # locked by another program, read-only, an I/O error, closed
    FULL = "store_full"  # the disk is full
    BUSY = "store_busy"  # as many rows wait as may wait
    REJECTED = "store_rejected"  # this row breaks a rule of the table; no other row is to blame
    EXHAUSTED = "store_exhausted"  # no id is left for it


class StoreError(RefusedError):
    """A row was not stored.

    `message` is a sentence for the sender; what the database said is in `__cause__`, for the log. `retry`: the
    same message may be accepted later. Not stored means not known to be durable: after an I/O error or a
    power cut in the middle of a commit the row may be found all the same. `of_a_row`: the row is to blame, and its
    neighbours are not. `doubt`: the group that the row may be of, where the database will tell later.
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
    """A connection that only reads, for questions whose SQL is in history.py, conversations.py and missed.py."""

    async def rows(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """All rows of one SELECT, which sees what was committed before it began. Raises StoreError.

        Statements run one after the other: the caller must bound how many wait, and what one reads.
        """


@dataclasses.dataclass(slots=True)
class StoreCounters:
    """What the writer did since it was made; numbers only grow.

    An answer counts from `put` on, so that its time is that of an acknowledgement.
    """

    batches: int = 0  # commits that succeeded
    rows: int = 0  # rows that are durable
    failures: int = 0  # rows that were answered by an error
    refused: int = 0  # rows that `put` did not take, because a bound was reached
    deleted: int = 0  # rows that were older than retention keeps them
    retention_waits: bool = False  # because the clock is in doubt
    batch_rows: Histogram = dataclasses.field(default_factory=lambda: Histogram(ROWS))
    commit_s: Histogram = dataclasses.field(default_factory=lambda: Histogram(SECONDS))
    answer_s: Histogram = dataclasses.field(default_factory=lambda: Histogram(SECONDS))


class Store(Protocol):
    """Keeps messages. Every call comes from the thread of the event loop."""

    @property
    def counters(self) -> StoreCounters: ...

    @property
    def waiting(self) -> int:
        """Rows and marks that were put and questions that were asked, and have no answer yet."""

    @property
    def free_bytes(self) -> int | None:
        """Room on the disk of the database, as it was seconds ago; None where it is on another machine."""

    @property
    def used(self) -> Used | None:
        """The size of the database, at most a minute old; None until it is known."""

    @property
    def displaced(self) -> bool:
        """Whether the files of the database were found to be replaced or moved."""

    @property
    def library(self) -> Library:
        """For questions about the past: no `find` waits behind one."""

    @property
    def recovery_key(self) -> bytes:
        """32 random bytes, made when the database was opened for the first time. Only after `open`."""

    async def open(self) -> MessageId | None:
        """Lock, create or migrate, and start to write. Returns the greatest id that is stored.

        Raises ConfigError, with everything closed and unlocked again.
        """

    async def run(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """One statement of what both databases understand, between two commits: its rows. Raises StoreError.

        Its parameters are ?1, ?2 and so on, each named at least once.
        """

    def sweep_turn(self) -> AbstractAsyncContextManager[bool]:
        """See OldRows.sweep_turn in retention.py."""

    async def query(self, sql: str, values: Sequence[int | str | None] = ()) -> list[Any]:
        """As `run`, for a SELECT: it waits for no commit. The caller has a bound, as with `library`."""

    async def prune(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        """See OldRows.prune in retention.py."""

    async def prune_astray(self, before_ms: int) -> int:
        """See OldRows.prune_astray."""

    def put(self, message: Message, done: Done, *, patient: bool = False) -> None:
        """Hand over a row. Never blocks. `patient`: no client waits for `done`, so a commit may wait for more rows.

        `done` is called once, from the loop thread, never from within this call, in the order of the calls to
        `put`: with None when the row is durable, else with the error. It must not raise.

        Raises StoreError, and never calls `done`: BUSY when a bound on what waits is reached, UNAVAILABLE when
        the store is not open.
        """

    def find(self, question: Question, answer: Answer) -> None:
        """Look up a message. Never blocks, and waits for no commit.

        `answer` is called once, from the loop thread, never from within this call, in the order of the calls to
        `find`. It must not raise. It sees every row whose `done` was called before this call.

        Raises StoreError, and never calls `answer`: UNAVAILABLE when the store is not open. It has no bound: whoever
        asks must have one.
        """

    def mark_read(self, lector: str, con: str, hasta: MessageId, done: Done) -> None:
        """Remember that `lector` has read up to `hasta`; a mark that lies further is kept. Never blocks.

        `done` and what is raised: as with `put`, but in order only among marks of one reader and conversation. Those
        that come together are stored as one row. BUSY: too many marks of `lector` wait.
        """

    def mark_unread(self, lector: str, con: str, desde: MessageId, done: Done) -> None:
        """What `con` wrote from `desde` on is unread for `lector`, until it is read again. As `mark_read`."""

    def mark_all_read(self, lector: str, hasta: MessageId, done: Done) -> None:
        """`lector` has read everything up to `hasta`, of all authors. As `mark_read`."""

    def saw(self, user: str, fecha_ms: int) -> None:
        """Remember that `user` was there; a later instant is kept. Never blocks, never raises.

        However often a user is seen, one instant of it waits. When it cannot be stored it is lost, and the log says so.
        """

    def log_of(self, message: MessageId) -> int:
        """Which log has it: see positions.py."""

    async def log_from(self, begin: Position | None) -> Position:
        """Where to read on, for a reader that has been at `begin`; without it at the end. Raises StoreError."""

    async def log_after(self, position: Position, limit: int) -> list[Message]:
        """At most `limit` messages that were committed and lie behind a position, by id. Raises StoreError."""

    def hook_turn(self, key: int) -> AbstractAsyncContextManager[bool]:
        """Whether this daemon may do a piece of work until the end of the block: of several nodes one may at a time.

        Raises StoreError at its beginning, never at its end.
        """

    async def fault(self) -> str | None:
        """What keeps messages from being stored at this moment, in words; None if nothing does."""

    def sum_up(self, done: Done) -> None:
        """Update the list of conversations to the stored messages. Never blocks.

        `done` and what is raised: as with `put`.
        """

    async def flushed(self) -> None:
        """Return once everything that was asked before this call has its answer, and then everything that was put.

        Marks as well, and what `also_flush` named.
        """

    def also_flush(self, flush: Callable[[], Awaitable[None]]) -> None:
        """Register a flush of data that is stored by `run`: `flushed` awaits it first."""

    async def close(self) -> None:
        """Commit waiting rows, close, unlock. Idempotent."""
