"""What a hook is told: the event, its id and its body. Pure. Rules W-02, W-09 and W-11."""

from __future__ import annotations

import datetime
import hashlib
from typing import NamedTuple

import msgspec

from chatd.store.base import Message


class Event(NamedTuple):
    """`id` is the same however often it is sent; events of one `con` are sent in order."""

    id: str
    con: str
    body: bytes


class CaseChange(NamedTuple):
    """A row of `ganchos_casos`: see chatd/store/casehooks.py."""

    con: str
    rev: int
    fecha: int
    estado: str
    antes: str
    atiende: str | None
    cerro: str | None


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


def unanswered(con: str, first_id: int, fecha: int) -> Event:
    """`sin_respuesta`: a user waits for an answer since that message."""
    data: dict[str, object] = {"con": con, "id": str(first_id), "fecha": fecha}
    body = msgspec.json.encode(_Envelope("sin_respuesta", _iso(fecha), data))
    return Event(f"sin_respuesta-{first_id}", con, body)


def case_changed(change: CaseChange) -> Event:
    """`conversacion`: a case has another state, or another admin is on it."""
    data: dict[str, object] = {"con": change.con, "estado": change.estado, "antes": change.antes}
    if change.atiende is not None:
        data["atiende"] = change.atiende
    if change.estado == "resuelto" and change.cerro is not None:
        data["cerro"] = change.cerro
    number = hashlib.sha256(f"{change.con}\0{change.rev}\0{change.fecha}".encode()).hexdigest()[:24]
    body = msgspec.json.encode(_Envelope("conversacion", _iso(change.fecha), data))
    return Event(f"conversacion-{number}", change.con, body)


def trial(now_ms: int) -> Event:
    """`prueba`: an operator tries a receiver."""
    return Event(f"prueba-{now_ms}", "", msgspec.json.encode(_Envelope("prueba", _iso(now_ms), {})))


def _iso(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1_000, datetime.UTC).isoformat(timespec="milliseconds")
