"""The Library for SQLite. The SQL is in history.py, conversations.py and missed.py, beside the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from . import conversations, history
from .base import Message, Rows
from .conversations import Conversation, Listed, Unread
from .history import Range, Read, Statement, Towards, Viewer
from .missed import Missed, Page, missed, missed_sql, missed_values
from .standing import STANDING_SQL, Standing, standing

LOG_SQL: Final = (
    "SELECT id, de, para, mensaje, fecha, supervisado, cid FROM mensajes WHERE id > ?1 ORDER BY id LIMIT ?2"
)


class SqliteLibrary:
    """A Library that reads through `rows`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def page(self, viewer: Viewer, con: str | None, span: Range, towards: Towards, rows: int) -> Read:
        """See Library.page."""
        statement = history.page(history.walks(viewer, con), span, towards, rows)
        return history.read(await self._ask(statement), span, towards)

    async def conversations(self, admin: str, before: int, rows: int) -> Listed:
        """See Library.conversations."""
        return conversations.listed(await self._ask(conversations.conversations(admin, before, rows)), rows)

    async def named(self, admin: str, prefix: str, rows: int) -> list[Conversation]:
        """See Library.named."""
        return conversations.found(await self._ask(conversations.named(admin, prefix, rows)))

    async def unread(self, viewer: Viewer) -> list[Unread]:
        """See Library.unread."""
        return [Unread(*row) for row in await self._ask(conversations.unread(viewer))]

    async def unread_with(self, viewer: Viewer, con: str) -> int:
        """See Library.unread_with."""
        [(count,)] = await self._ask(conversations.unread_with(viewer, con))
        return int(count)

    async def standing(self, user: str, other: str) -> Standing:
        """See Library.standing."""
        return standing(await self._rows.rows(STANDING_SQL, (user, other)))

    async def missed(self, questions: Sequence[Missed], rows: int, limit: int) -> list[Page]:
        """See Library.missed."""
        size, values = missed_values(questions, rows, limit)
        return missed(questions, await self._rows.rows(missed_sql(size), values))

    async def log(self, after: int, rows: int) -> list[Message]:
        """See Library.log."""
        found = await self._rows.rows(LOG_SQL, (after, rows))
        return [
            Message(number, de, para, text, fecha, bool(supervised), cid)
            for number, de, para, text, fecha, supervised, cid in found
        ]

    async def _ask(self, statement: Statement) -> list[Any]:
        return await self._rows.rows(*statement)
