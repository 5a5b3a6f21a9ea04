"""What the chat asks of the past: pages, lists, counts, marks, and what was missed. The questions, and no SQL.

Every store answers them: SQLite in sqlitelibrary.py, PostgreSQL in postgres/library.py. The rules of what somebody may
read are in history.py (C-71) and conversations.py.
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
    """What is read. An answer sees what was committed before it was asked for. Every call raises StoreError.

    The caller must bound how many wait, and how many rows are asked for.
    """

    async def page(self, viewer: Viewer, con: str | None, span: Range, towards: Towards, rows: int) -> Read:
        """At most `rows` messages that `viewer` may read, of the conversation with `con` or of all."""

    async def conversations(self, admin: str, before: int, rows: int) -> Listed:
        """The most recent conversations whose last message is before the id `before`."""

    async def named(self, admin: str, prefix: str, rows: int) -> list[Conversation]:
        """The conversations with users whose name begins with `prefix`, by name."""

    async def unread(self, viewer: Viewer) -> list[Unread]:
        """For a user: the number of unread messages by author; none of them 0."""

    async def unread_with(self, viewer: Viewer, con: str) -> int:
        """Of one conversation."""

    async def standing(self, user: str, other: str) -> Standing:
        """How far two users have read each other, and when `other` was last seen."""

    async def log(self, after: int, rows: int) -> list[Message]:
        """At most `rows` messages of all, behind the id `after`."""

    async def missed(self, questions: Sequence[Missed], rows: int, limit: int) -> list[Page]:
        """The answers, in the order of the questions: `rows` messages of each at most; `limit`: see Page.beyond."""
