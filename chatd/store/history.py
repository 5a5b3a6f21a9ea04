"""Pages of messages, as one viewer may read them. Pure: SQL and its values. Rule C-71: the privacy of history.

A user reads the rows it sent or received. An admin reads, of the rows of one user, those that are supervised, and
those between the two. Each kind of row is a walk along an index in the order of ids, and a page merges the walks: its
cost is that of its own rows, wherever in the table it lies and whatever else its reader has. One kind has no index, a
user's words to one certain other: that walk is filtered, and taken in stretches, so that no statement is long.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from .base import MessageId

FIRST_ID: Final = -(2**63)
LAST_ID: Final = 2**63 - 1

STRETCH_ROWS: Final = 1_000
"""Rows that one statement may look at in vain."""

Statement = tuple[str, list[int | str | None]]


class Viewer(NamedTuple):
    """Who reads."""

    user: str
    is_admin: bool


class Past(NamedTuple):
    """A row of history; `fecha` is milliseconds since 1970."""

    id: MessageId
    de: str
    para: str
    mensaje: str
    fecha: int


class Towards(enum.Enum):
    """From where a page is filled: its newest rows first, or its oldest."""

    PAST, FUTURE = "DESC", "ASC"


class Range(NamedTuple):
    """The ids that a page may have, both ends left out."""

    after: int = FIRST_ID
    before: int = LAST_ID


class Walk(NamedTuple):
    """Rows of one kind: an index, the condition that it serves, what is left to filter, and the values of both.

    The index is named, because SQLite knows nothing of how many rows a value has, and would guess.
    """

    by: str
    along: str
    filtered: str
    values: tuple[str, ...]


def _wrote(user: str) -> Walk:
    return Walk("mensajes_de", _WROTE, "", (user,))


def _was_sent(user: str) -> Walk:
    """By another user, to be read by every admin. The filter drops only notes to oneself."""
    return Walk("mensajes_para", _WAS_SENT, " AND de <> ?", (user, user))


def _private(de: str, para: str) -> Walk:
    return Walk("mensajes_privados", "para = ? AND de = ? AND supervisado = 0", "", (para, de))


def _each_way(one: str, other: str) -> list[Walk]:
    return [_private(one, other), *([_private(other, one)] if one != other else [])]


def walks(viewer: Viewer, con: str | None) -> list[Walk]:
    """The kinds of rows that `viewer` may read, of the conversation with `con` or, for a user, of all. No row twice."""
    user = viewer.user
    if con is None:
        return [_wrote(user), _was_sent(user), Walk("mensajes_para", "para = ? AND supervisado = 0", "", (user,))]
    if viewer.is_admin:
        return [_wrote(con), _was_sent(con), *_each_way(user, con)]
    filtered = [Walk("mensajes_de", _WROTE, " AND para = ?", (user, con))]
    if con != user:
        filtered.append(Walk("mensajes_para", _WAS_SENT, " AND de = ?", (user, con)))
    return [*filtered, *_each_way(user, con)]


class Read(NamedTuple):
    """The rows of a page, in the order of its walk; `reached` is where it stopped looking, None if it did not."""

    rows: list[Past]
    reached: int | None


def page(kinds: Sequence[Walk], span: Range, towards: Towards, rows: int) -> Statement:
    """At most `rows` of those kinds, in one value of JSON: see `read`.

    Filtered walks end a stretch away; what lies beyond that edge is the next statement's.
    """
    near, far = (span.before, span.after) if towards is Towards.PAST else (span.after, span.before)
    beyond, within = ("<", ">") if towards is Towards.PAST else (">", "<")
    values: list[int | str | None] = [far]
    edges = ["?"]
    for walk in kinds:
        if walk.filtered:
            # The offset counts a stretch; a page begins at an id, wherever it is.
            edges.append(
                f"coalesce((SELECT id FROM mensajes INDEXED BY {walk.by} WHERE {walk.along} AND id {beyond} ? "  # noqa: S608
                f"AND id {within} ? ORDER BY id {towards.value} LIMIT 1 OFFSET {STRETCH_ROWS}), ?)"
            )
            values += [walk.values[0], near, far, far]
    parts = []
    for walk in kinds:
        parts.append(
            f"SELECT {_COLUMNS} FROM mensajes INDEXED BY {walk.by} WHERE {walk.along}{walk.filtered} "  # noqa: S608
            f"AND id {beyond} ? AND id {within} (SELECT id FROM edge)"
        )
        values += [*walk.values, near]
    nearest = {Towards.PAST: "max", Towards.FUTURE: "min"}[towards] if len(edges) > 1 else ""
    sql = f"""
        WITH edge (id) AS (SELECT {nearest}({", ".join(edges)}))
        SELECT json_array((SELECT id FROM edge), (
            SELECT json_group_array(json_array({_COLUMNS}))
            FROM ({" UNION ALL ".join(parts)} ORDER BY id {towards.value} LIMIT ?)
        ))
    """  # noqa: S608  # words of ours
    return sql, [*values, rows]


def read(found: Sequence[Sequence[Any]], span: Range, towards: Towards) -> Read:
    """What `page` gave."""
    edge, rows = _DECODER.decode(found[0][0])
    far = span.after if towards is Towards.PAST else span.before
    rows.sort(reverse=towards is Towards.PAST)  # an aggregate promises no order
    return Read(rows, None if edge == far else edge)


def beyond(span: Range, reached: int, towards: Towards) -> Range:
    """What is left of `span` behind `reached`."""
    return Range(span.after, reached + 1) if towards is Towards.PAST else Range(reached - 1, span.before)


def last_seen(user: str) -> Statement:
    """When a user was last seen, in milliseconds since 1970: one row or none."""
    return "SELECT fecha FROM vistos WHERE user = ?", [user]


_WROTE: Final = "de = ? AND supervisado = 1"
_WAS_SENT: Final = "para = ? AND supervisado = 1"
_COLUMNS: Final = "id, de, para, mensaje, fecha"
_DECODER: Final = msgspec.json.Decoder(tuple[int, list[Past]])
