"""Rows of tables other than messages, as lines of JSON: `export --all` writes them, and `import` reads them.

{"formato":2}
{"tabla":"leidos","lector":"root","con":"ana","hasta":"497…"}

The first line says that the file has all tables. Each other line is one row: ids are decimal strings, like those of
messages; null values are omitted. Not exported: `conversaciones` and the search index, which a daemon rebuilds;
`reloj`, which import creates; `nodos`, which belongs to one database; and the key in `secretos`.
"""

from __future__ import annotations

import functools
from typing import Annotated, ClassVar, Final

import msgspec

from chatd.cli.rows import RowError, harmless
from chatd.store.marks import SEEN

FORMAT: Final = 2
"""The version of the format. A file without the first line has version 1: messages only."""

MAX_ID: Final = 2**63 - 1

Id = Annotated[str, msgspec.Meta(pattern="^(-1|0|[1-9][0-9]{0,18})$")]
"""The id of a message or the key of a webhook. A string, because programs with doubles would change the number."""

Number = Annotated[int, msgspec.Meta(ge=-1, lt=2**53)]


class Row(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="tabla"):
    """A row. The tag is the table, the fields are the columns; KEY: the columns of the primary key."""

    KEY: ClassVar[tuple[str, ...]]
    MERGED: ClassVar[str | None] = None
    """SQL that merges an imported row into one with the same key; None keeps the existing row, which is newer."""


class Read(Row, frozen=True, tag="leidos"):
    """See chatd/store/marks.py."""

    KEY = ("lector", "con")
    MERGED = "hasta = excluded.hasta, vuelta = excluded.vuelta WHERE excluded.hasta > leidos.hasta"
    lector: str
    con: str
    hasta: Id
    vuelta: Id | None = None


class Seen(Row, frozen=True, tag="vistos"):
    """See chatd/store/marks.py."""

    KEY = ("user",)
    MERGED = SEEN.moved
    user: str
    fecha: Number


class Name(Row, frozen=True, tag="nombres"):
    """See chatd/store/team.py, as for the next three."""

    KEY = ("quien",)
    quien: str
    nombre: str
    admin: Number


class Case(Row, frozen=True, tag="casos"):
    KEY = ("con",)
    con: str
    ultimo: Id
    entrada: Id
    respuesta: Id
    resuelto: Id
    rev: Number
    espera: Id | None = None
    atiende: str | None = None
    desde: Number | None = None
    cerro: str | None = None
    cerrado: Number | None = None


class Note(Row, frozen=True, tag="notas"):
    KEY = ("id",)
    id: Id
    con: str
    de: str
    texto: str
    fecha: Number


class Reply(Row, frozen=True, tag="respuestas"):
    KEY = ("atajo",)
    atajo: str
    texto: str
    de: str
    fecha: Number


class Mail(Row, frozen=True, tag="correos"):
    """See chatd/store/mail.py. An imported wish for no mail also applies to a row that exists already."""

    KEY = ("quien",)
    MERGED = "silencio = 1 WHERE excluded.silencio = 1 AND correos.silencio = 0"
    quien: str
    correo: str
    silencio: Number
    hasta: Id
    enviado: Number


class Hook(Row, frozen=True, tag="ganchos"):
    """See chatd/store/hooks.py, as for the next four."""

    KEY = ("clave", "registro")
    clave: Id
    registro: Number
    hasta: Id
    apagado: Number


class SetAside(Row, frozen=True, tag="ganchos_apartados"):
    KEY = ("clave", "id")
    clave: Id
    id: Id


class Present(Row, frozen=True, tag="ganchos_presentes"):
    KEY = ("clave", "quien")
    clave: Id
    quien: str


class Wait(Row, frozen=True, tag="ganchos_esperas"):
    KEY = ("clave", "con")
    clave: Id
    con: str
    desde: Id
    fecha: Number
    avisado: Number


class Stored(Row, frozen=True, tag="ganchos_guardados"):
    KEY = ("clave", "evento")
    clave: Id
    evento: str
    con: str
    cuerpo: str


class CaseEvent(Row, frozen=True, tag="ganchos_casos"):
    """See chatd/store/casehooks.py, as for the next one."""

    KEY = ("clave", "con", "rev")
    clave: Id
    con: str
    rev: Number
    fecha: Number
    estado: str
    antes: str
    atiende: str | None = None
    cerro: str | None = None


class Follows(Row, frozen=True, tag="ganchos_siguen"):
    KEY = ("clave",)
    clave: Id
    hasta: Number


# Follows comes last: otherwise the triggers would record each imported case as a change for the webhook.
TABLES: Final[tuple[type[Row], ...]] = (
    *(Read, Seen, Name, Case, Note, Reply, Mail),
    *(Hook, SetAside, Present, Wait, Stored, CaseEvent, Follows),
)

_BEGINNING: Final = b'{"tabla":'
_HEAD: Final = b'{"formato":'

_decoder: Final = msgspec.json.Decoder(
    Read | Seen | Name | Case | Note | Reply | Mail | Hook | SetAside | Present | Wait | Stored | CaseEvent | Follows
)


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    formato: int


HEAD: Final = msgspec.json.encode(_Head(FORMAT)) + b"\n"


def is_head(line: bytes) -> bool:
    """Whether `line` says that the file has all tables. Raises RowError for a format that is not known."""
    if not line[:20].replace(b" ", b"").startswith(_HEAD):
        return False
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError as error:
        raise RowError(f"this says no format ({error})") from error
    if head.formato != FORMAT:
        raise RowError(f"the format {head.formato} is that of another chatd: this one knows {FORMAT}")
    return True


def is_row(line: bytes) -> bool:
    """Whether `line` is a row of a table, not a message."""
    return line[:20].replace(b" ", b"").startswith(_BEGINNING)


def from_line(line: bytes) -> Row:
    """The row in a line. Raises RowError."""
    try:
        row: Row = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RowError(f"this is no row of a table ({error})") from error
    for name in ids_of(type(row)):
        if int(getattr(row, name) or 0) > MAX_ID:
            raise RowError(f"{name} is greater than any id")
    return row


def to_line(row: Row) -> bytes:
    """The row as a line, with its line break."""
    return harmless(msgspec.json.encode(row).decode()).encode() + b"\n"


@functools.cache
def ids_of(table: type[Row]) -> frozenset[str]:
    """The columns of `table` that hold ids."""
    return frozenset(field.name for field in msgspec.structs.fields(table) if field.type in (Id, Id | None))
