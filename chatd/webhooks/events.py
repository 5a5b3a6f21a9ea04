"""What a hook is told: the event, its id and its body. Pure. Rules W-02, W-09, W-11 and W-14."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Set
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


def is_answer(message: Message, desk: Set[str] = frozenset()) -> bool:
    """Whether the desk has written it, for which those in `desk` do: see desk.py."""
    return not message.supervisado or message.de in desk


def conversation_of(message: Message, desk: Set[str] = frozenset()) -> str:
    """The user on the other side of the desk."""
    return message.para if is_answer(message, desk) else message.de


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
    body = msgspec.json.encode(_Envelope("conversacion", _iso(change.fecha), data))
    return Event(f"conversacion-{_number(change.con, change.rev, change.fecha)}", change.con, body)


def came_or_went(user: str, is_here: bool, seen_ms: int) -> Event:
    """`presencia`: a user came, or has gone."""
    data: dict[str, object] = {"user": user, "en_linea": is_here, "visto": seen_ms}
    body = msgspec.json.encode(_Envelope("presencia", _iso(seen_ms), data))
    return Event(f"presencia-{_number(user, is_here, seen_ms)}", user, body)


def trial(now_ms: int) -> Event:
    """`prueba`: an operator tries a receiver."""
    return Event(f"prueba-{now_ms}", "", msgspec.json.encode(_Envelope("prueba", _iso(now_ms), {})))


def _iso(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1_000, datetime.UTC).isoformat(timespec="milliseconds")


def _number(*parts: object) -> str:
    """Of an event that has no id of its own: the same for the same parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:24]
