"""The Library for PostgreSQL, and lookups of messages. The SQL is in questions.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chatd.store.base import MAX_CIDS, Found, Message, MessageId, Question, StoredAs
from chatd.store.conversations import MAX_EXAMINED, Conversation, Listed, Unread
from chatd.store.history import Past, Range, Read, Towards, Viewer
from chatd.store.missed import Missed, Page
from chatd.store.sqlitelibrary import LOG_SQL
from chatd.store.standing import STANDING_SQL, Standing, standing

from . import faults, questions
from .dialect import translated
from .link import Link, Readers
from .texts import decode, encode


class PostgresLibrary:
    """A Library on several read-only connections."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def page(self, viewer: Viewer, con: str | None, span: Range, towards: Towards, rows: int) -> Read:
        """See Library.page. It reads no rows in vain, so it never stops early."""
        others = () if con is None else (encode(con),)
        sql = questions.page(viewer, con, towards)
        found = await self._ask(sql, span.after, span.before, rows, encode(viewer.user), *others)
        return Read([_past(row) for row in found], None)

    async def conversations(self, admin: str, before: int, rows: int) -> Listed:
        """See Library.conversations."""
        found = await self._ask(questions.CONVERSATIONS, encode(admin), before, rows)
        listed = [_conversation(row[2:]) for row in found if row[2] is not None]
        if len(listed) == rows:
            return Listed(listed, listed[-1].ultimo.id)
        count, oldest = found[0][:2]
        return Listed(listed, oldest if count == MAX_EXAMINED else None)

    async def named(self, admin: str, prefix: str, rows: int) -> list[Conversation]:
        """See Library.named."""
        return [_conversation(row) for row in await self._ask(questions.NAMED, encode(admin), encode(prefix), rows)]

    async def unread(self, viewer: Viewer) -> list[Unread]:
        """See Library.unread."""
        return [Unread(decode(con), count) for con, count in await self._ask(questions.UNREAD, encode(viewer.user))]

    async def unread_with(self, viewer: Viewer, con: str) -> int:
        """See Library.unread_with."""
        sql = questions.UNREAD_BY_ADMIN if viewer.is_admin else questions.UNREAD_BY_USER
        [(count,)] = await self._ask(sql, encode(viewer.user), encode(con))
        return int(count)

    async def standing(self, user: str, other: str) -> Standing:
        """See Library.standing."""
        return standing(await self._ask(translated(STANDING_SQL), encode(user), encode(other)))

    async def missed(self, asked: Sequence[Missed], rows: int, limit: int) -> list[Page]:
        """See Library.missed."""
        found = await self._ask(
            questions.MISSED,
            range(len(asked)),
            [encode(each.user) for each in asked],
            [each.is_admin for each in asked],
            [each.after for each in asked],
            [each.upto for each in asked],
            rows,
            limit,
        )
        pages = [Page([], beyond=False)] * len(asked)
        for number, beyond, *row in found:
            messages = pages[number].messages or []
            if row[0] is not None:
                messages.append(read_message(row))
            pages[number] = Page(messages, beyond)
        return pages

    async def log(self, after: int, rows: int) -> list[Message]:
        """See Library.log."""
        return [read_message(row) for row in await self._ask(translated(LOG_SQL), after, rows)]

    async def _ask(self, sql: str, *values: Any) -> list[Any]:
        try:
            return await self._readers.fetch(sql, *values)
        except faults.ERRORS as error:
            raise faults.lookup_error(error) from faults.cause(error)


async def find(link: Link, asked: Sequence[Question]) -> list[Found]:
    """The answers in the order of the questions. Raises what the driver raises."""
    rows = await link.fetch(
        questions.FIND,
        range(len(asked)),
        [encode(each.de) for each in asked],
        [encode(each.cid) for each in asked],
        [each.list_cids for each in asked],
    )
    answers = [Found(None, None)] * len(asked)
    for number, message_id, fecha, cids in rows:
        stored = None if message_id is None else StoredAs(MessageId(message_id), fecha)
        known = None if cids is None or len(cids) > MAX_CIDS else frozenset(map(decode, cids))
        answers[number] = Found(stored, known)
    return answers


def _past(row: Iterable[Any]) -> Past:
    number, de, para, mensaje, fecha = row
    return Past(MessageId(number), decode(de), decode(para), decode(mensaje), fecha)


def _conversation(row: Sequence[Any]) -> Conversation:
    return Conversation(decode(row[0]), _past(row[1:6]), row[6])


def read_message(row: Sequence[Any]) -> Message:
    """A message from a row with all columns."""
    past = _past(row[:5])
    return Message(*past, supervisado=bool(row[5]), cid=None if row[6] is None else decode(row[6]))
