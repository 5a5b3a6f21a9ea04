"""The interface for queries of the past: pages, lists, counts, marks, and missed messages.

Implemented for SQLite in sqlitelibrary.py, for PostgreSQL in postgres/library.py. The rules who may read a message are
in history.py (C-71) and conversations.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .base import Message
from .conversations import Conversation, Listed, Unread
from .history import Range, Read, Towards, Viewer
from .missed import Missed, Page
from .standing import Standing


class Library(Protocol):
    """Queries. Each sees all commits before its call. Every call raises StoreError.

    The caller must limit the number of waiting calls, and the number of rows.
    """

    async def page(self, viewer: Viewer, con: str | None, span: Range, towards: Towards, rows: int) -> Read:
        """At most `rows` messages that `viewer` may read, of the conversation with `con` or (None) of all."""

    async def conversations(self, admin: str, before: int, rows: int) -> Listed:
        """The most recent conversations whose last message is before the id `before`."""

    async def named(self, admin: str, prefix: str, rows: int) -> list[Conversation]:
        """At most `rows` conversations with users whose name starts with `prefix`, by name."""

    async def unread(self, viewer: Viewer) -> list[Unread]:
        """For a user: the number of unread messages by author, without zeros."""

    async def unread_with(self, viewer: Viewer, con: str) -> int:
        """The number of unread messages of one conversation, at most MAX_COUNT."""

    async def standing(self, user: str, other: str) -> Standing:
        """How far two users have read each other, and when `other` was last seen."""

    async def log(self, after: int, rows: int) -> list[Message]:
        """At most `rows` messages of all users, after the id `after`."""

    async def missed(self, questions: Sequence[Missed], rows: int, limit: int) -> list[Page]:
        """The answers in the order of the questions, at most `rows` messages each; `limit`: see Page.beyond."""
