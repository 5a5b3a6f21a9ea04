"""`leido`: how far a user has read a conversation. Rules C-49 to C-51 of protocol.md. What a reader keeps to itself,
`no_leido` and `leido_todo`, is in unread.py.

The database keeps one mark for each reader and conversation, and moves it forward only. Here is remembered what was
told last, so that a client that says the same again costs neither a write nor an event.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.feature import Feature
from chatd.chat.member import Author
from chatd.chat.messages.audience import user_room
from chatd.chat.messages.ids import parse_digits
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import PreparedEvent
from chatd.socketio.socket import Reply
from chatd.store.base import Done, MessageId, StoreError

# Marks, at some 200 bytes each; beyond it, the one that was told longest ago may be told again.
MAX_REMEMBERED: Final = 10_000


class Marks(Protocol):
    """The part of a store that keeps marks; see Store.mark_read."""

    def mark_read(self, lector: str, con: str, hasta: MessageId, done: Done) -> None: ...


class MarkRead(msgspec.Struct, frozen=True, gc=False):
    """`leido {con, hasta}`; other keys are ignored."""

    con: str
    hasta: MessageId

    @classmethod
    def parse(cls, args: list[object], newest: MessageId) -> Self:
        """`newest` is the greatest id that a message can have by now. Raises RefusedError."""
        fields = parse_fields(args, "leido takes one object: {con, hasta}.")
        con = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        return cls(con, parse_message(fields, "hasta", newest))


class ReadBy(msgspec.Struct, frozen=True, gc=False):
    """`leido` for the other side: `de` has read."""

    de: str
    hasta: str


class ReadElsewhere(msgspec.Struct, frozen=True, gc=False):
    """`leido` for the reader's other sockets: this was read there."""

    con: str
    hasta: str


class Marked(msgspec.Struct, frozen=True, gc=False):
    """The acknowledgement of a mark that is durable."""

    ok: bool = True


class Asked(NamedTuple):
    """A mark that is being stored, and the requests that wait for it."""

    member: Author
    mark: MarkRead
    reply: Reply | None

    @property
    def key(self) -> tuple[str, str]:
        return self.member.identity.user, self.mark.con

    def answer(self) -> None:
        if self.reply is not None:
            self.reply(Marked())


class Receipts:
    """Stores marks, and tells the two users concerned. `newest` returns the greatest id that was made."""

    def __init__(self, namespace: Namespace, marks: Marks, newest: Callable[[], MessageId]) -> None:
        self._namespace = namespace
        self._marks = marks
        self._newest = newest
        self._leido = PreparedEvent(namespace.name, "leido")
        self._told: dict[tuple[str, str], MessageId] = {}  # durable

    @property
    def feature(self) -> Feature:
        return Feature(events={"leido": self.mark})

    def mark(self, member: Author, args: list[object], reply: Reply | None) -> None:
        try:
            asked = Asked(member, MarkRead.parse(args, self._newest()), reply)
            if self._told.get(asked.key, 0) >= asked.mark.hasta:
                asked.answer()
            else:
                lector, con = asked.key
                self._marks.mark_read(lector, con, asked.mark.hasta, functools.partial(self._on_stored, asked))
        except RefusedError as error:
            member.refuse(reply, error)

    def forget(self, reader: str, con: str) -> None:
        """`reader` goes back in this conversation: the next mark is written again."""
        self._told.pop((reader, con), None)

    def _on_stored(self, asked: Asked, error: StoreError | None) -> None:
        if error is not None:
            asked.member.refuse(asked.reply, error)
            return
        if self._told.get(asked.key, 0) < asked.mark.hasta:
            self._remember(asked)
            self._tell(asked)
        asked.answer()

    def _remember(self, asked: Asked) -> None:
        self._told.pop(asked.key, None)
        self._told[asked.key] = asked.mark.hasta
        if len(self._told) > MAX_REMEMBERED:
            del self._told[next(iter(self._told))]

    def _tell(self, asked: Asked) -> None:
        """Rule C-50: sent to reader and author only."""
        reader, con = asked.key
        hasta = str(asked.mark.hasta)
        others = self._namespace.rooms.members(user_room(reader)) - {asked.member.session}
        if others:
            self._namespace.send_each(self._leido.encode(ReadElsewhere(con, hasta)), others)
        if con != reader:
            self._namespace.send_to_rooms(self._leido.encode(ReadBy(reader, hasta)), (user_room(con),))


def parse_message(fields: dict[object, object], key: Literal["hasta", "desde"], newest: MessageId) -> MessageId:
    """The id under `key`, of a message that there may be. Raises RefusedError."""
    code = EventCode(f"{key}_invalid")
    if (number := parse_digits(fields.get(key))) is None:
        raise RefusedError(code, f"{key} must be the id of a message, a string of digits.")
    if not 0 < number <= newest:
        raise RefusedError(code, f"{key} is an id that no message has yet.")
    return MessageId(number)
