"""What a client may ask about the past, and what it is told. Rules C-70 to C-75 and C-77 of protocol.md."""

from __future__ import annotations

from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields, parse_limit, parse_user
from chatd.chat.messages.ids import parse_id
from chatd.store.base import MessageId
from chatd.store.conversations import Unread
from chatd.store.history import LAST_ID, Past, Range, Towards

DEFAULT_ROWS: Final = 50
MAX_ROWS: Final = 100


class AskHistory(msgspec.Struct, frozen=True, gc=False):
    """`historial {con?, antes?, despues?, limite?}`; other keys are ignored."""

    con: str | None
    span: Range
    towards: Towards
    limit: int

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "historial takes one object: {con, antes?, despues?, limite?}.")
        if fields.get("antes") is not None and fields.get("despues") is not None:
            raise RefusedError(EventCode.ARGUMENTS_INVALID, "historial takes antes or despues, not both.")
        after = parse_id_of(fields, "despues", EventCode.DESPUES_INVALID)
        towards = Towards.PAST if after is None else Towards.FUTURE
        span = Range(before=parse_before(fields)) if after is None else Range(after=after)
        return cls(_con(fields), span, towards, parse_limit(fields, DEFAULT_ROWS, MAX_ROWS))


class AskConversations(msgspec.Struct, frozen=True, gc=False):
    """`conversaciones {limite?, antes?, buscar?}`, or nothing at all."""

    before: int
    prefix: str | None
    limit: int

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args or [{}], "conversaciones takes one object: {limite?, antes?, buscar?}.")
        if fields.get("antes") is not None and fields.get("buscar") is not None:
            raise RefusedError(EventCode.ARGUMENTS_INVALID, "conversaciones takes antes or buscar, not both.")
        return cls(parse_before(fields), _prefix(fields), parse_limit(fields, DEFAULT_ROWS, MAX_ROWS))


class AskUnread(msgspec.Struct, frozen=True, gc=False):
    """`no_leidos {con?}`, or nothing at all."""

    con: str | None

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        return cls(_con(parse_fields(args or [{}], "no_leidos takes one object: {con?}.")))


class PastMessage(msgspec.Struct, frozen=True, gc=False):
    """One message of a page."""

    id: str
    de: str
    para: str
    mensaje: str
    fecha: int

    @classmethod
    def of(cls, row: Past) -> Self:
        return cls(str(row.id), row.de, row.para, row.mensaje, row.fecha)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `historial`: oldest first."""

    ok: bool = True
    mensajes: list[PastMessage]
    hay_mas: bool


class LastOf(msgspec.Struct, frozen=True):
    """One conversation of the list."""

    con: str
    ultimo: PastMessage
    no_leidos: int


class ConversationList(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `conversaciones`: most recent first, or found by name."""

    ok: bool = True
    conversaciones: list[LastOf]
    hay_mas: bool


class UnreadCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `no_leidos`."""

    ok: bool = True
    no_leidos: dict[str, int]

    @classmethod
    def of(cls, counts: list[Unread]) -> Self:
        return cls(no_leidos={con: cuantos for con, cuantos in counts if cuantos})


def _con(fields: dict[object, object]) -> str | None:
    value = fields.get("con")
    return None if value is None else parse_user(value, "con", EventCode.CON_INVALID)


def _prefix(fields: dict[object, object]) -> str | None:
    value = fields.get("buscar")
    return None if value is None else parse_user(value, "buscar", EventCode.BUSCAR_INVALID)


def parse_before(fields: dict[object, object]) -> int:
    """`antes`: the id that a page ends before. Raises RefusedError."""
    before = parse_id_of(fields, "antes", EventCode.ANTES_INVALID)
    return LAST_ID if before is None else before


def parse_id_of(fields: dict[object, object], key: str, code: EventCode) -> MessageId | None:
    """The id under `key`, if there is one. Raises RefusedError with `code`."""
    value = fields.get(key)
    if value is None:
        return None
    if (message_id := parse_id(value)) is None:
        raise RefusedError(code, f"{key} must be the id of a message, a string of digits.")
    return message_id
