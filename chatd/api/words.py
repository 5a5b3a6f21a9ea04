"""What requests say, and answers beyond those of events. The declarations check the input, and make the OpenAPI
document (openapi.py).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chatd.api.problem import Problem
from chatd.chat.events import MAX_CID_CHARS, MAX_USER_CHARS
from chatd.chat.history.questions import MAX_ROWS
from chatd.chat.history.search import MAX_SOUGHT_CHARS, MAX_SOUGHT_WORDS
from chatd.chat.presence.connected import MAX_LIMIT

MAX_MANY: Final = 100
"""Messages in one request."""

User = Annotated[str, Meta(min_length=1, max_length=MAX_USER_CHARS, description="The name of a user.")]
Id = Annotated[str, Meta(pattern=r"^[0-9]{1,19}$", description="The id of a message: 1 to 19 digits.")]
PlaceInList = Annotated[
    str,
    Meta(pattern=r"^((espera|ultimo)-)?[0-9]{1,19}$", description="An id, or with orden the sigue of the page before."),
]
Position = Annotated[
    str,
    Meta(pattern=r"^([0-9]{1,19}|[0-9]{1,4}\.[0-9]{1,19}(-[0-9]{1,4}\.[0-9]{1,19})*)$", description="Of an event."),
]
Cid = Annotated[str, Meta(min_length=1, max_length=MAX_CID_CHARS, description="Of its sender's choice, see C-21.")]
Text = Annotated[str, Meta(min_length=1)]
Sought = Annotated[
    str,
    Meta(
        pattern=r"[^\W_]", max_length=MAX_SOUGHT_CHARS, description=f"1 to {MAX_SOUGHT_WORDS} words to find, see C-89."
    ),
]
Shortcut = Annotated[str, Meta(pattern=r"^[\w-]{1,32}$", description="What stands behind the / in the console.")]
Filter = Annotated[Literal["mias", "libres", "sin_responder", "resueltas"], Meta(description="Which, of a team.")]
Order = Annotated[Literal["espera"], Meta(description="The longest wait first, of a team.")]
Rol = Annotated[Literal["admin", "user"], Meta(description="As what it speaks or reads.")]
Rows = Annotated[int, Meta(ge=1, le=MAX_ROWS)]
Users = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]


NUMBERS: Final = frozenset({"limite"})
"""Query parameters with numeric values."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The part of a URL behind the question mark: nothing, if an operation has no other."""


class AsWhom(Query, frozen=True):
    """Without `como`, an admin of the key's own name reads."""

    como: User | None = None
    rol: Rol | None = None


class HistoryQuery(AsWhom, frozen=True):
    """A page ends before `antes`, or begins after `despues`."""

    antes: Id | None = None
    despues: Id | None = None
    limite: Rows | None = None


class ConversationsQuery(AsWhom, frozen=True):
    """`buscar` is the beginning of a name, of a team any part of one; `filtro` and `orden` are for a team."""

    antes: PlaceInList | None = None
    buscar: User | None = None
    filtro: Filter | None = None
    orden: Order | None = None
    limite: Rows | None = None


class UnreadQuery(AsWhom, frozen=True):
    """Of all conversations, or of the one with `con`."""

    con: User | None = None


class SearchQuery(AsWhom, frozen=True, kw_only=True):
    """`antes` is the `sigue` of the page before."""

    texto: Sought
    con: User | None = None
    antes: Id | None = None
    limite: Rows | None = None


class NotesQuery(AsWhom, frozen=True):
    """A page ends before `antes`."""

    antes: Id | None = None
    limite: Rows | None = None


class RepliesQuery(AsWhom, frozen=True):
    """`despues` is the last shortcut of the page before."""

    despues: Shortcut | None = None


class PeopleQuery(Query, frozen=True):
    """`despues` is the last name of the page before."""

    despues: User | None = None
    limite: Users | None = None


class EventsQuery(Query, frozen=True):
    """`desde` is the id of the last event that the reader has; without it, from now on."""

    desde: Position | None = None


class NewMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message. Without `de` it comes from the name of the key."""

    para: User
    mensaje: Annotated[str, Meta(min_length=1)]
    de: User | None = None
    rol: Rol | None = None
    cid: Cid | None = None


class NewMessages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several of them, sent in this order."""

    mensajes: Annotated[list[NewMessage], Meta(min_length=1, max_length=MAX_MANY)]


class NewMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`como` has read the conversation with `con` up to the message `hasta`."""

    con: User
    hasta: Id
    como: User | None = None
    rol: Rol | None = None


class NewUnread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """For `como`, what `con` wrote is unread from the message `desde` on."""

    con: User
    desde: Id
    como: User | None = None
    rol: Rol | None = None


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Without `como`, an admin of the key's own name writes."""

    como: User | None = None
    rol: Rol | None = None


class AllRead(Write, frozen=True, kw_only=True):
    """`como` has read all conversations up to the message `hasta`."""

    hasta: Id


class NewClaim(Write, frozen=True):
    """`relevo` takes it over from another admin."""

    relevo: bool | None = None


class NewResolution(NewClaim, frozen=True):
    """Up to the message `hasta`, or to the newest."""

    hasta: Id | None = None


class NewNote(Write, frozen=True, kw_only=True):
    """What admins read of a user."""

    texto: Text


class NewReply(Write, frozen=True, kw_only=True):
    """What stands for a shortcut."""

    texto: Text


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one of several messages: its id and time, or the problem."""

    estado: int
    id: str | None = None
    fecha: int | None = None
    problema: Problem | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """In the order of the request."""

    respuestas: list[Outcome]


class Connection(msgspec.Struct, frozen=True, omit_defaults=True):
    """One socket; `nodo` where there are several."""

    sid: str
    transport: str
    address: str
    nodo: int | None = None


class PersonHere(msgspec.Struct, frozen=True):
    """A user with sockets."""

    user: str
    name: str
    rol: str
    conexiones: list[Connection]


class PeopleHere(msgspec.Struct, frozen=True, omit_defaults=True):
    """By name; `pendientes`: nodes that have not answered."""

    personas: list[PersonHere]
    hay_mas: bool
    pendientes: list[int] = []


class Kicked(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many sessions were ended; `pendientes`: nodes that have not answered."""

    sesiones: int
    pendientes: list[int] = []


class Denied(msgspec.Struct, frozen=True, omit_defaults=True):
    """It is in the deny list, and in force; `pendientes`: nodes that have not said so."""

    ok: bool
    pendientes: list[int] = []


class Sample(msgspec.Struct, frozen=True):
    """One number of /metrics; null where there is none."""

    nombre: str
    valor: float | None
    etiquetas: dict[str, str]


class Counts(msgspec.Struct, frozen=True):
    """See the table of metrics in README.md."""

    cuentas: list[Sample]
