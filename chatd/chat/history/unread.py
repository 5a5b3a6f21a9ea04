"""`no_leido` and `leido_todo`: what a reader says of its own marks. Rules C-86 and C-87 of protocol.md.

Only the reader hears of it: the authors were told that it was read, and that stays true.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal, Protocol, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.feature import Feature
from chatd.chat.history.receipts import Marked, Receipts, parse_message
from chatd.chat.member import Author
from chatd.chat.messages.audience import user_room
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import encode_event
from chatd.socketio.socket import Reply
from chatd.store.base import Done, MessageId, StoreError

OwnEvent = Literal["no_leido", "leido_todo"]


class OwnMarks(Protocol):
    """The part of a store that keeps them; see Store.mark_unread."""

    def mark_unread(self, lector: str, con: str, desde: MessageId, done: Done) -> None: ...

    def mark_all_read(self, lector: str, hasta: MessageId, done: Done) -> None: ...


class MarkUnread(msgspec.Struct, frozen=True, gc=False):
    """`no_leido {con, desde}`, from a client and to the reader's other sockets; other keys are ignored."""

    con: str
    desde: str

    @classmethod
    def parse(cls, args: list[object], newest: MessageId) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "no_leido takes one object: {con, desde}.")
        con = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        return cls(con, str(parse_message(fields, "desde", newest)))


class MarkAllRead(msgspec.Struct, frozen=True, gc=False):
    """`leido_todo {hasta}`, likewise."""

    hasta: str

    @classmethod
    def parse(cls, args: list[object], newest: MessageId) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "leido_todo takes one object: {hasta}.")
        return cls(str(parse_message(fields, "hasta", newest)))


Own = MarkUnread | MarkAllRead


class Unread:
    """Stores what a reader says, and tells its other sockets. `newest` returns the greatest id that was made."""

    def __init__(
        self, namespace: Namespace, marks: OwnMarks, receipts: Receipts, newest: Callable[[], MessageId]
    ) -> None:
        self._namespace = namespace
        self._marks = marks
        self._receipts = receipts
        self._newest = newest

    @property
    def feature(self) -> Feature:
        return Feature(events={"no_leido": self.mark_unread, "leido_todo": self.mark_all_read})

    def mark_unread(self, member: Author, args: list[object], reply: Reply | None) -> None:
        try:
            mark = MarkUnread.parse(args, self._newest())
            reader = member.identity.user
            self._receipts.forget(reader, mark.con)  # a `leido` that comes next is no repetition
            done = functools.partial(self._on_stored, member, "no_leido", mark, reply)
            self._marks.mark_unread(reader, mark.con, MessageId(int(mark.desde)), done)
        except RefusedError as error:
            member.refuse(reply, error)

    def mark_all_read(self, member: Author, args: list[object], reply: Reply | None) -> None:
        try:
            mark = MarkAllRead.parse(args, self._newest())
            done = functools.partial(self._on_stored, member, "leido_todo", mark, reply)
            self._marks.mark_all_read(member.identity.user, MessageId(int(mark.hasta)), done)
        except RefusedError as error:
            member.refuse(reply, error)

    def _on_stored(
        self, member: Author, event: OwnEvent, mark: Own, reply: Reply | None, error: StoreError | None
    ) -> None:
        if error is not None:
            member.refuse(reply, error)
            return
        reader = member.identity.user
        if isinstance(mark, MarkUnread):
            self._receipts.forget(reader, mark.con)  # a `leido` before it may have been stored meanwhile
        self._tell(member, event, mark)
        if reply is not None:
            reply(Marked())

    def _tell(self, member: Author, event: OwnEvent, mark: Own) -> None:
        """To the reader's other sockets."""
        others = self._namespace.rooms.members(user_room(member.identity.user)) - {member.session}
        if others:
            self._namespace.send_each(encode_event(self._namespace.name, event, (mark,)), others)
