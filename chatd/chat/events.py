"""The events from and to clients. Arguments are parsed into a dataclass here, once, or refused.

Rules C-10 to C-14 of protocol.md.
"""

from __future__ import annotations

import enum
from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError

MAX_USER_CHARS: Final = 128
MAX_CID_CHARS: Final = 64


class EventCode(enum.StrEnum):
    """`error.code` of a refused event."""

    UNKNOWN_EVENT = "unknown_event"
    ARGUMENTS_INVALID = "arguments_invalid"
    PARA_INVALID = "para_invalid"
    MENSAJE_INVALID = "mensaje_invalid"
    MENSAJE_TOO_LONG = "mensaje_too_long"
    CID_INVALID = "cid_invalid"
    CON_INVALID = "con_invalid"
    HASTA_INVALID = "hasta_invalid"
    DESDE_INVALID = "desde_invalid"
    BUSCAR_INVALID = "buscar_invalid"
    ACTIVO_INVALID = "activo_invalid"
    LIMITE_INVALID = "limite_invalid"
    ANTES_INVALID = "antes_invalid"
    DESPUES_INVALID = "despues_invalid"
    FILTRO_INVALID = "filtro_invalid"
    ORDEN_INVALID = "orden_invalid"
    RELEVO_INVALID = "relevo_invalid"
    CORREO_INVALID = "correo_invalid"
    TEXTO_INVALID = "texto_invalid"
    ATAJO_INVALID = "atajo_invalid"
    TOO_MANY_REPLIES = "too_many_replies"
    CLAIMED = "claimed"
    ADMINS_ONLY = "admins_only"
    HISTORY_BUSY = "history_busy"
    RATE_LIMITED = "rate_limited"


class Received(msgspec.Struct, frozen=True, gc=False):
    """`mensaje_recibido`, exactly this."""

    de: str
    mensaje: str


class ReceivedInFull(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`mensaje_recibido` under `payload = "full"`."""

    de: str
    mensaje: str
    id: str
    para: str
    fecha: int
    cid: str | None = None


class Sent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`mensaje_enviado`."""

    id: str
    para: str
    mensaje: str
    fecha: int
    cid: str | None = None


class Stored(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The acknowledgement of a message that is durable."""

    ok: bool = True
    id: str
    fecha: int


class PrivateMessage(msgspec.Struct, frozen=True, gc=False):
    """`mensaje_privado {para, mensaje, cid?}`; other keys are ignored."""

    para: str
    mensaje: str
    cid: str | None = None

    @classmethod
    def parse(cls, args: list[object], max_chars: int) -> Self:
        """Raises RefusedError with an EventCode and a text that names the error."""
        fields = parse_fields(args, "mensaje_privado takes one object: {para, mensaje}.")
        cid = _cid(fields["cid"]) if "cid" in fields else None
        para = parse_user(fields.get("para"), "para", EventCode.PARA_INVALID)
        return cls(para, _mensaje(fields.get("mensaje"), max_chars), cid)


def parse_fields(args: list[object], otherwise: str) -> dict[object, object]:
    """The object that is an event's first argument. Raises RefusedError with the sentence `otherwise`."""
    fields = args[0] if args else None
    if not isinstance(fields, dict):
        raise RefusedError(EventCode.ARGUMENTS_INVALID, otherwise)
    return fields


def parse_user(value: object, key: str, code: EventCode) -> str:
    """The name of a user under `key`. Raises RefusedError with `code`."""
    if not isinstance(value, str) or not value:
        raise RefusedError(code, f"{key} must be the name of a user, a string that is not empty.")
    if len(value) > MAX_USER_CHARS:
        raise RefusedError(code, f"{key} is longer than {MAX_USER_CHARS} characters.")
    if not _is_unicode(value):
        raise RefusedError(code, f"{key} holds half a surrogate pair.")
    return value


def parse_text(value: object, key: str, code: EventCode, max_chars: int) -> str:
    """A text under `key`. Raises RefusedError with `code`."""
    if not isinstance(value, str) or not 0 < len(value) <= max_chars or not _is_unicode(value):
        raise RefusedError(code, f"{key} must be a string of 1 to {max_chars} characters.")
    return value


def parse_limit(fields: dict[object, object], default: int, most: int) -> int:
    """`limite`: how long a page may be. Raises RefusedError."""
    value = fields.get("limite", default)
    if type(value) is not int or not 0 < value <= most:
        raise RefusedError(EventCode.LIMITE_INVALID, f"limite must be a whole number from 1 to {most}.")
    return value


def _mensaje(value: object, max_chars: int) -> str:
    if not isinstance(value, str) or not value:
        raise RefusedError(EventCode.MENSAJE_INVALID, "mensaje must be a string that is not empty.")
    if len(value) > max_chars:
        raise RefusedError(EventCode.MENSAJE_TOO_LONG, f"mensaje is longer than {max_chars} characters.")
    if not _is_unicode(value):
        raise RefusedError(EventCode.MENSAJE_INVALID, "mensaje holds half a surrogate pair, such as half an emoji.")
    return value


def _cid(value: object) -> str:
    """An invalid cid is refused, null too: its sender relies on it."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CID_CHARS or not _is_unicode(value):
        raise RefusedError(EventCode.CID_INVALID, f"cid must be a string of 1 to {MAX_CID_CHARS} characters.")
    return value


def _is_unicode(text: str) -> bool:
    """A JavaScript string may have a lone surrogate, which UTF-8, and so a database, cannot store."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
