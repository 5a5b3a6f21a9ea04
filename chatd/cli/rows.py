"""Messages as lines of JSON, which `export` writes and `import` reads.

{"id":"497…","de":"maria","para":"admin","mensaje":"hola","fecha":1767225600000,"supervisado":true,"cid":"4f9c"}

`id` is a decimal string, as on the wire; `fecha` is milliseconds since 1970, UTC; `cid` is omitted if there is none.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from chatd.auth.claims import has_control
from chatd.base.errors import ChatdError, RefusedError
from chatd.chat.events import EventCode, PrivateMessage, parse_user
from chatd.chat.messages.ids import MAX_ID
from chatd.cli.database import Database

COLUMNS: Final = "id, de, para, mensaje, fecha, supervisado, cid"

PAGE_ROWS: Final = 1_000

_Text = Annotated[str, msgspec.Meta(min_length=1)]

Values = tuple[int, str, str, str, int, int, str | None]
"""One message, as COLUMNS has it."""


class RowError(ChatdError):
    """A line is not a valid message; the text of the error says why."""


class Row(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line."""

    id: Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]{0,18}$")]
    de: _Text
    para: _Text
    mensaje: _Text
    fecha: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    supervisado: bool
    cid: _Text | None = None


# Control characters, invisible formatting, line and paragraph separators. Other characters are text, also unassigned
# ones.
_ESCAPED: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})

_MUST_BE: Final = {
    "id": "a string of 1 to 19 digits that does not begin with 0",
    "de": "a string that is not empty",
    "para": "a string that is not empty",
    "mensaje": "a string that is not empty",
    "fecha": "a whole number of milliseconds since 1970",
    "supervisado": "true or false",
    "cid": "a string that is not empty, or left out",
}

_REQUIRED: Final = tuple(name for name in _MUST_BE if name != "cid")

_decoder: Final = msgspec.json.Decoder(Row)


def to_line(values: Values) -> bytes:
    """A message as a line, with its line break."""
    number, de, para, mensaje, fecha, supervised, cid = values
    line = msgspec.json.encode(Row(str(number), de, para, mensaje, fecha, bool(supervised), cid))
    return harmless(line.decode()).encode() + b"\n"


def harmless(text: str) -> str:
    """`text`, JSON, with characters escaped that move a terminal's cursor or reverse text."""
    if text.isprintable():
        return text
    return "".join(json.dumps(one)[1:-1] if unicodedata.category(one) in _ESCAPED else one for one in text)


def from_line(line: bytes) -> Values:
    """The message in a line. Raises RowError."""
    try:
        row = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RowError(_what_is_wrong(error, line)) from error
    number = int(row.id)
    if number > MAX_ID:
        raise RowError(f"id {row.id} is greater than any that chatd makes: too few could follow it")
    return number, row.de, row.para, row.mensaje, row.fecha, int(row.supervisado), row.cid


def check_accepted(values: Values, max_chars: int) -> None:
    """Raises RowError, with the chat's own message, for names and texts that the chat would refuse."""
    _, de, para, mensaje, _, _, cid = values
    try:
        parse_user(de, "de", EventCode.ARGUMENTS_INVALID)
        PrivateMessage.parse([{"para": para, "mensaje": mensaje} | ({} if cid is None else {"cid": cid})], max_chars)
    except RefusedError as error:
        raise RowError(str(error).removesuffix(".")) from error
    if has_control(de):
        raise RowError("de holds a control character, which no user's name may")


def _what_is_wrong(error: Exception, line: bytes) -> str:
    """A decoder error in the terms of the format; msgspec writes "Expected `str` of length >= 1 - at `$.de`"."""
    if not isinstance(error, msgspec.ValidationError):
        return f"this is no JSON ({error})"
    if field := re.search(r"`\$\.(\w+)`$", str(error)):
        return f"{field[1]} must be {_MUST_BE[field[1]]}"
    if re.search(r"required field `(\w+)`", str(error)):
        missing = [name for name in _REQUIRED if name not in msgspec.json.decode(line)]
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if field := re.search(r"unknown field `(.*)`", str(error)):
        return f"{field[1]!r} is no field of a message"
    return "a message is an object, as chatd export writes it"


def all_rows(connection: Database, user: str | None = None) -> Iterator[tuple[Values, float]]:
    """Every present message, or those of `user`, in the order of ids, each with the progress from 0 to 1.

    Reads page by page, so that a slow reader does not keep a snapshot, which would make the write-ahead log grow.
    Messages never change, and new ones have greater ids. Raises what the database raises.
    """
    first, newest = connection.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM mensajes").fetchone()
    above = first - 1
    whose, named = ("", ()) if user is None else (" AND (de = ?3 OR para = ?3)", (user,))
    columns = COLUMNS if _has_cids(connection) else COLUMNS.replace(", cid", ", NULL")
    sql = f"SELECT {columns} FROM mensajes WHERE id > ?1 AND id <= ?2{whose} ORDER BY id LIMIT {PAGE_ROWS}"  # noqa: S608
    while page := connection.execute(sql, (above, newest, *named)).fetchall():
        for values in page:
            yield values, (values[0] - first) / max(newest - first, 1)
        above = page[-1][0]


def _has_cids(connection: Database) -> bool:
    """Whether the table has the column `cid`; a backup of the first schema does not."""
    if not isinstance(connection, sqlite3.Connection):
        return True
    return any(name == "cid" for _, name, *_ in connection.execute("PRAGMA table_info(mensajes)"))
