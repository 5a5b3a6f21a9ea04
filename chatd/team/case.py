"""A case: the state of the team's conversation with one user, as admins get it. Rules D-06 to D-10."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_fields, parse_user
from chatd.chat.history.questions import parse_id_of
from chatd.store.base import MessageId


class State(enum.StrEnum):
    """The values of `estado`."""

    OPEN = "abierto"
    CLAIMED = "atendido"
    RESOLVED = "resuelto"


class Case(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The event `caso`, and a part of several answers. Times are milliseconds since 1970.

    `con`: the user; `atiende`: the admin who has claimed the case, at `desde`; `cerro`: the admin who resolved it last,
    at `cerrado`; `espera`: the time of the first unanswered question. A case with a greater `rev` is newer.
    """

    con: str
    estado: State
    rev: int
    atiende: str | None = None
    desde: int | None = None
    cerro: str | None = None
    cerrado: int | None = None
    espera: int | None = None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """A case from the columns of COLUMNS in casesql.py."""
        con, entrada, atiende, desde, resuelto, cerro, cerrado, espera, rev = row[:9]
        state = State.OPEN
        if atiende is not None:
            state = State.CLAIMED
        elif cerrado is not None and entrada <= resuelto:
            state = State.RESOLVED
        return cls(
            con=con, estado=state, rev=rev, atiende=atiende, desde=desde, cerro=cerro, cerrado=cerrado, espera=espera
        )


class CaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of an event that changes a case."""

    ok: bool = True
    caso: Case


class ClaimedError(RefusedError):
    """Another admin has claimed the case. `relevo` takes it over."""

    def __init__(self, admin: str) -> None:
        super().__init__(EventCode.CLAIMED, "Another admin is on this conversation.", atiende=admin)


class AskCase(msgspec.Struct, frozen=True, gc=False):
    """`atender {con, relevo?}`, `soltar {con}`, `resolver {con, hasta?, relevo?}`; other keys are ignored."""

    con: str
    upto: MessageId | None
    takes_over: bool

    @classmethod
    def parse(cls, event: str, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, f"{event} takes one object with con, the name of a user.")
        con = parse_user(fields.get("con"), "con", EventCode.CON_INVALID)
        relevo = fields.get("relevo", False)
        if not isinstance(relevo, bool):
            raise RefusedError(EventCode.RELEVO_INVALID, "relevo must be true or false.")
        return cls(con, parse_id_of(fields, "hasta", EventCode.HASTA_INVALID), relevo)
