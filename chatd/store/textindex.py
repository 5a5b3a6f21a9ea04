"""The index of the words in messages: its update and its search. Rules C-89 to C-91 of protocol.md.

A task adds new messages after their commit, a few at a time, with pauses. Each start checks all messages once, so that
messages of an import, renumbered messages, and those of a crash are indexed too.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from typing import Final

from chatd.base.errors import ConfigError
from chatd.base.tasks import Tasks

from . import textsql
from .base import MessageId, Store, StoreError
from .history import FIRST_ID, Past, Viewer
from .textsql import EXAMINED, SQLITE, TextSql
from .words import indexed

log = logging.getLogger("chatd.store")

STEP_ROWS: Final = 100
"""Messages that are indexed in one statement: a few milliseconds of the writer."""

MAX_STEP_CHARS: Final = 4_000_000
"""Characters that are indexed in one statement; it has fewer messages if they may be long."""

PAUSE_S: Final = 0.02
EVERY_S: Final = 5.0

MAX_STEPS: Final = 20
"""Steps that a search waits for, to index the newest messages."""

MAX_STRETCHES: Final = 20
"""Statements in one search, each over EXAMINED messages."""


class TextIndex:
    """The index of one database. `max_chars`: the longest message; `overlap`: see Summary."""

    def __init__(self, store: Store, sql: TextSql, *, max_chars: int = 1, overlap: int = 0) -> None:
        self._store = store
        self._rows = max(1, min(STEP_ROWS, MAX_STEP_CHARS // max_chars))
        self._sql = sql
        self._overlap = overlap
        self._upto = FIRST_ID
        self._made = False
        self._turn = asyncio.Lock()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    async def make(self) -> None:
        """Create the index if it is missing. Idempotent. Raises ConfigError."""
        if self._made:
            return
        if self._sql.needs is not None:
            [(found,)] = await self._store.query(textsql.HAS_MODULE, (self._sql.needs,))
            if not found:
                raise ConfigError(
                    f"search: the SQLite of this Python has no {self._sql.needs.upper()}: leave search off, or use a "
                    "Python whose SQLite has it"
                )
        try:
            for statement in self._sql.create:
                await self._store.run(statement)
            if self._sql is SQLITE and sqlite3.sqlite_version_info >= textsql.SECURE_DELETE_FROM:
                await self._store.run(textsql.SECURE_DELETE)
        except StoreError as error:
            raise ConfigError(f"search: the index cannot be made: {error.__cause__ or error}") from error
        self._made = True

    def start(self) -> None:
        """Start the task; the event loop must run."""
        self._task = self._tasks.start(self._follow(), "index of texts")

    async def close(self) -> None:
        """Call before the store is closed. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def catch_up(self) -> None:
        """Index new messages, in at most MAX_STEPS steps. Raises StoreError."""
        await self.make()
        for _ in range(MAX_STEPS):
            if not await self._step():
                break

    async def search(
        self, viewer: Viewer, con: str | None, words: Sequence[str], before: int, rows: int
    ) -> tuple[list[Past], int | None]:
        """At most `rows` messages with ids below `before` and all `words` that `viewer` may read, newest first.

        Also returns the id before which the next search continues, None at the end. Raises StoreError.
        """
        query = textsql.query(self._sql, words, textsql.participants(viewer, con))
        about = (viewer.user,) if con is None else (viewer.user, con)
        sql = textsql.found(self._sql, viewer, con)
        hits: list[Past] = []
        for _ in range(MAX_STRETCHES):
            [(edge, count)] = await self._store.query(textsql.stretch(self._sql), (query, before))
            if edge is None:
                return hits, None
            rows_here = await self._store.query(sql, (query, before, edge, rows - len(hits), *about))
            hits += [Past(MessageId(row[0]), *row[1:]) for row in rows_here]
            if len(hits) == rows:
                return hits, hits[-1].id
            if count < EXAMINED:
                return hits, None
            before = edge
        return hits, before

    # Internals.

    async def _follow(self) -> None:
        while True:
            pause_s = EVERY_S
            try:
                if await self._step():
                    pause_s = PAUSE_S
            except StoreError as error:
                extra = {"code": error.code, "cause": repr(error.__cause__)}
                log.warning("texts could not be put into the index", extra=extra)
            await asyncio.sleep(pause_s)

    async def _step(self) -> bool:
        """Index the next few messages. Returns whether there may be more. Raises StoreError."""
        async with self._turn:
            [(last, count)] = await self._store.query(textsql.NEXT, (self._upto,))
            if not count:
                return False
            missing = await self._store.query(textsql.missing(self._sql, self._rows), (self._upto, last))
            if missing:
                values = [value for number, *texts in missing for value in (number, indexed(*texts))]
                await self._store.run(textsql.insert(self._sql, len(missing)), values)
            full = len(missing) == self._rows
            reached = missing[-1][0] if full else last
            more = full or count == EXAMINED
            self._upto = reached if more else reached - self._overlap
            return more
