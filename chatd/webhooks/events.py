"""What a hook is told: the event, its id and its body. Pure. Rule W-02."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import msgspec

from chatd.store.base import Message


class Event(NamedTuple):
    """`id` is the same however often it is sent; events of one `con` are sent in order."""

    id: str
    con: str
    body: bytes


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    timestamp: str
    data: dict[str, object]


def conversation_of(message: Message) -> str:
    """The user on the other side of the desk."""
    return message.de if message.supervisado else message.para


def said(message: Message) -> Event:
    """`mensaje`: a message is stored."""
    data: dict[str, object] = {
        "id": str(message.id),
        "de": message.de,
        "para": message.para,
        "mensaje": message.mensaje,
        "fecha": message.fecha,
        "supervisado": message.supervisado,
    }
    body = msgspec.json.encode(_Envelope("mensaje", _iso(message.fecha), data))
    return Event(f"mensaje-{message.id}", conversation_of(message), body)


def trial(now_ms: int) -> Event:
    """`prueba`: an operator tries a receiver."""
    return Event(f"prueba-{now_ms}", "", msgspec.json.encode(_Envelope("prueba", _iso(now_ms), {})))


def _iso(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1_000, datetime.UTC).isoformat(timespec="milliseconds")
