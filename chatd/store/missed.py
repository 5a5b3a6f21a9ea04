"""The messages that users have missed since a given message, for many users in one statement. Pure.

A user gets the messages addressed to it; an admin also gets supervised ones. Each query merges two walks along an
index. The statement returns one row with everything as JSON, because SQLite's driver releases and takes the interpreter
lock for each row, which can take milliseconds each time if the event loop is busy.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from .base import Message, MessageId


class Missed(NamedTuple):
    """A question for the messages sent to `user` with ids in (`after`, `upto`]."""

    user: str
    is_admin: bool
    after: MessageId
    upto: MessageId


class Page(NamedTuple):
    """The first missed messages by id. `beyond`: there are more than `limit`."""

    messages: list[Message]
    beyond: bool


_Row = tuple[MessageId, str, str, str, int, int, str | None]
_DECODER: Final = msgspec.json.Decoder(list[tuple[int, int | None, list[_Row]]])


def missed_values(questions: Sequence[Missed], rows: int, limit: int) -> tuple[int, list[int | str | None]]:
    """The size of the statement and its parameters."""
    size = 1 << (len(questions) - 1).bit_length()
    values: list[int | str | None] = []
    for number, asked in enumerate(questions):
        values += (number, asked.user, int(asked.is_admin), asked.after, asked.upto)
    values += [0] * (5 * (size - len(questions)))
    values += [len(questions), rows, limit]
    return size, values


def missed(questions: Sequence[Missed], found: Sequence[Sequence[Any]]) -> list[Page]:
    """The answers in the rows of the statement."""
    pages = [Page([], beyond=False)] * len(questions)
    for number, beyond, rows in _DECODER.decode(found[0][0]):
        rows.sort()
        messages = [Message(*row[:5], supervisado=bool(row[5]), cid=row[6]) for row in rows]
        pages[number] = Page(messages, beyond=beyond is not None)
    return pages


@functools.cache
def missed_sql(size: int) -> str:
    """A SELECT for up to `size` questions. The last parameters: the number of questions, rows per page, the limit."""
    asked = ",".join(["(?,?,?,?,?)"] * size)
    rows, limit = f"?{5 * size + 2}", f"?{5 * size + 3}"
    # Only question marks and constants are inserted into the text.
    return f"""
        WITH asked (number, user, is_admin, after, upto) AS (SELECT * FROM (VALUES {asked}) LIMIT ?)
        SELECT json_group_array(json_array(
            number,
            CASE WHEN is_admin
                THEN (SELECT 1 FROM ({_sent("id", _SUPERVISED)}) LIMIT 1 OFFSET {limit})
                ELSE (SELECT 1 FROM ({_sent("id", _ADDRESSED)}) LIMIT 1 OFFSET {limit})
            END,
            json(CASE WHEN is_admin THEN {_page(_SUPERVISED, rows)} ELSE {_page(_ADDRESSED, rows)} END)
        ))
        FROM asked
    """  # noqa: S608


_COLUMNS: Final = "id, de, para, mensaje, fecha, supervisado, cid"
_SUPERVISED: Final = "supervisado = 1"
_ADDRESSED: Final = "para = asked.user AND supervisado = 1"


def _sent(columns: str, visible: str) -> str:
    """SQL for the messages that fulfil `visible`, and for private messages to the user."""
    between = "id > asked.after AND id <= asked.upto"
    return (
        f"SELECT {columns} FROM mensajes WHERE {visible} AND {between} UNION ALL "  # noqa: S608
        f"SELECT {columns} FROM mensajes WHERE para = asked.user AND supervisado = 0 AND {between}"
    )


def _page(visible: str, rows: str) -> str:
    return (
        "(SELECT json_group_array(json_array(id, de, para, mensaje, fecha, supervisado, cid)) "  # noqa: S608
        f"FROM ({_sent(_COLUMNS, visible)} ORDER BY id LIMIT {rows}))"
    )
