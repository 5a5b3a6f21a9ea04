"""`historial`, `conversaciones`, `no_leidos`: the past, read from the database. Rules C-70 to C-76 of protocol.md.

An answer is a task, which lives as long as its statements: most need one. They run beside the writer
(Store.library), those of several people in turn. How many are under way is bounded for each user, and for all; so are
the rows of a statement and the bytes of an answer, since what waits for a connection is bounded too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final, TypeVar

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.config import ChatConfig
from chatd.chat.events import EventCode
from chatd.chat.feature import Feature
from chatd.chat.history.questions import (
    AskConversations,
    AskHistory,
    AskUnread,
    ConversationList,
    History,
    LastOf,
    PastMessage,
    UnreadCounts,
)
from chatd.chat.member import Author
from chatd.chat.underway import Do, UnderWay
from chatd.socketio.socket import Reply
from chatd.store import history
from chatd.store.base import Store, StoreError
from chatd.store.conversations import Conversation, Unread
from chatd.store.history import LAST_ID, Past, Towards, Viewer

MAX_ASKED: Final = 1_000
MAX_ASKED_EACH: Final = 4

MAX_ANSWER_BYTES: Final = 262_144
"""Of JSON; a lone message may be longer. With as many answers as one user may wait for: what may wait for a socket."""

MAX_READ_CHARS: Final = 4_000_000
"""Of the messages of a page, before it is cut to that size."""

MAX_UNREAD: Final = 100
"""Conversations of an admin that `no_leidos` looks at."""

Item = TypeVar("Item")


class Historian:
    """Answers questions about the past."""

    def __init__(self, config: ChatConfig, store: Store) -> None:
        self._store = store
        self.max_rows = max(1, MAX_READ_CHARS // config.max_message_chars)
        self._under_way = UnderWay(MAX_ASKED, MAX_ASKED_EACH, _busy)

    @property
    def feature(self) -> Feature:
        return Feature(
            events={"historial": self.history, "conversaciones": self.conversations, "no_leidos": self.unread}
        )

    def history(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.begin(member, reply, lambda: self._history(_viewer(member), AskHistory.parse(args)))

    def conversations(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.begin(member, reply, lambda: self._conversations(_viewer(member), AskConversations.parse(args)))

    def unread(self, member: Author, args: list[object], reply: Reply | None) -> None:
        self.begin(member, reply, lambda: self._unread(_viewer(member), AskUnread.parse(args)))

    def begin(self, member: Author, reply: Reply | None, do: Do) -> None:
        """Answer a question. Nothing without an acknowledgement: there is nowhere to answer."""
        if reply is not None:
            self._under_way.begin(member, reply, do, "history")

    def _history(self, viewer: Viewer, asked: AskHistory) -> Awaitable[msgspec.Struct]:
        """Rules C-70 to C-72. Raises RefusedError."""
        if viewer.is_admin and asked.con is None:
            raise RefusedError(
                EventCode.CON_INVALID, "con must be the name of a user: an admin reads one conversation."
            )
        return self._page(viewer, asked)

    async def _page(self, viewer: Viewer, asked: AskHistory) -> History:
        limit = min(asked.limit, self.max_rows)
        span, towards = asked.span, asked.towards
        found: list[Past] = []
        while True:
            part = await self._store.library.page(viewer, asked.con, span, towards, limit + 1 - len(found))
            found += part.rows
            if len(found) > limit or part.reached is None:
                break
            span = history.beyond(span, part.reached, towards)
        messages = within_bytes([PastMessage.of(row) for row in found[:limit]])
        more = len(messages) < len(found)
        return History(mensajes=messages[::-1] if towards is Towards.PAST else messages, hay_mas=more)

    def _conversations(self, viewer: Viewer, asked: AskConversations) -> Awaitable[msgspec.Struct]:
        """Rules C-73, C-74 and C-77. Raises RefusedError."""
        if not viewer.is_admin:
            raise RefusedError(EventCode.ADMINS_ONLY, "conversaciones is for admins.")
        return self._list(viewer, asked)

    async def _list(self, viewer: Viewer, asked: AskConversations) -> ConversationList:
        limit = min(asked.limit, self.max_rows)
        if asked.prefix is None:
            found = await self._recent(viewer.user, asked.before, limit + 1)
        else:
            found = await self._named(viewer.user, asked.prefix, limit + 1)
        listed = within_bytes([LastOf(each.con, PastMessage.of(each.ultimo), each.no_leidos) for each in found[:limit]])
        return ConversationList(conversaciones=listed, hay_mas=len(listed) < len(found))

    async def _recent(self, admin: str, before: int, rows: int) -> list[Conversation]:
        await self._summed_up()
        found: list[Conversation] = []
        upto: int | None = before
        while upto is not None and len(found) < rows:
            part = await self._store.library.conversations(admin, upto, rows - len(found))
            found += part.conversations
            upto = part.upto
        return found

    async def _named(self, admin: str, prefix: str, rows: int) -> list[Conversation]:
        await self._summed_up()
        return await self._store.library.named(admin, prefix, rows)

    async def _summed_up(self) -> None:
        done: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
        self._store.sum_up(lambda error: None if done.done() else done.set_result(error))
        if (error := await done) is not None:
            raise error

    async def _unread(self, viewer: Viewer, asked: AskUnread) -> UnreadCounts:
        """Rule C-75."""
        if asked.con is not None:
            count = await self._store.library.unread_with(viewer, asked.con)
            return UnreadCounts.of([Unread(asked.con, count)])
        if viewer.is_admin:
            recent = await self._recent(viewer.user, LAST_ID, min(MAX_UNREAD, self.max_rows))
            return UnreadCounts.of([Unread(each.con, each.no_leidos) for each in recent])
        return UnreadCounts.of(await self._store.library.unread(viewer))


def _busy() -> RefusedError:
    return RefusedError(EventCode.HISTORY_BUSY, "Too many questions about the past are under way: ask again later.")


def _viewer(member: Author) -> Viewer:
    return Viewer(member.identity.user, member.identity.is_admin)


def within_bytes(items: Iterable[Item]) -> list[Item]:
    """The first of them that fit into an answer, but at least one."""
    room = MAX_ANSWER_BYTES
    fit: list[Item] = []
    for item in items:
        room -= len(msgspec.json.encode(item)) + 1
        if fit and room < 0:
            break
        fit.append(item)
    return fit
