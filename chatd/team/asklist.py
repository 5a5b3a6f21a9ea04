"""What an admin of a team asks of `conversaciones`. Rule D-12 and D-18."""

from __future__ import annotations

import enum
import re
from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields
from chatd.chat.history.questions import AskConversations
from chatd.chat.messages.ids import parse_id
from chatd.store.history import LAST_ID
from chatd.team.listsql import Kind, Walk

_PLACE: Final = re.compile(r"(espera|ultimo)-([0-9]{1,19})", re.ASCII)


class Order(enum.StrEnum):
    """`orden`."""

    WAITING = "espera"


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a page by waiting ends: at a first question without an answer, or behind all of these at a last message."""

    walk: Walk
    at: int

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises RefusedError."""
        if value is None:
            return cls(Walk.WAITING, -1)
        found = _PLACE.fullmatch(value) if isinstance(value, str) else None
        if found is None or (at := parse_id(found[2])) is None:
            raise RefusedError(EventCode.ANTES_INVALID, "antes with orden must be the sigue of the page before.")
        return cls(Walk.WAITING if found[1] == "espera" else Walk.ANSWERED, at)

    def __str__(self) -> str:
        return f"{'espera' if self.walk is Walk.WAITING else 'ultimo'}-{self.at}"


class AskTeamList(msgspec.Struct, frozen=True, gc=False):
    """`conversaciones {filtro?, orden?, limite?, antes?, buscar?}`. `place` is None without `orden`."""

    before: int
    prefix: str | None
    limit: int
    kind: Kind | None
    place: Place | None

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args or [{}], "conversaciones takes one object.")
        order = fields.get("orden")
        if order is None:
            place = None
        elif order in list(Order):
            place = Place.parse(fields.get("antes"))
            fields = {key: value for key, value in fields.items() if key != "antes"}
        else:
            raise RefusedError(EventCode.ORDEN_INVALID, f"orden must be {', '.join(Order)}.")
        asked = AskConversations.parse([fields])
        kind = _kind(fields.get("filtro"))
        _check_together(asked, kind, place)
        return cls(asked.before, asked.prefix, asked.limit, kind, place)

    @property
    def is_first(self) -> bool:
        """Whether it asks for the first page of a list."""
        return self.prefix is None and self.before == LAST_ID and (self.place is None or self.place.at < 0)


def _kind(value: object) -> Kind | None:
    if value is None:
        return None
    if value not in list(Kind):
        raise RefusedError(EventCode.FILTRO_INVALID, f"filtro must be one of {', '.join(Kind)}.")
    return Kind(str(value))


def _check_together(asked: AskConversations, kind: Kind | None, place: Place | None) -> None:
    if asked.prefix is not None and kind is not None:
        raise RefusedError(EventCode.ARGUMENTS_INVALID, "conversaciones takes filtro or buscar, not both.")
    if asked.prefix is not None and place is not None:
        raise RefusedError(EventCode.ARGUMENTS_INVALID, "conversaciones takes orden or buscar, not both.")
    if kind is Kind.RESOLVED and place is not None:
        raise RefusedError(EventCode.ARGUMENTS_INVALID, "Nobody waits in resueltas: leave orden out.")
