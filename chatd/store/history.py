"""Pages of messages that a viewer may read. Pure: SQL and its values. Rule C-71: the privacy of history.

A user may read the messages it sent or received. An admin may read the supervised messages of any user, and its own
private ones. Each kind of message is a walk along an index in the order of ids, and a page merges the walks: its cost
depends only on the number of its rows. One kind has no index, a user's messages to one other user: that walk is
filtered, and limited to STRETCH_ROWS for each statement, so that no statement takes long.
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
"""Rows that one statement may read and filter out."""

Statement = tuple[str, list[int | str | None]]


class Viewer(NamedTuple):
    """The user who reads."""

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
    """The direction of a page: newest rows first, or oldest rows first."""

    PAST, FUTURE = "DESC", "ASC"


class Range(NamedTuple):
    """The ids that a page may have; both ends are excluded."""

    after: int = FIRST_ID
    before: int = LAST_ID


class Walk(NamedTuple):
    """Rows of one kind: the index (`by`), its condition (`along`), a further filter, and the values of both.

    The index is named because SQLite has no statistics of the table, and might choose another one.
    """

    by: str
    along: str
    filtered: str
    values: tuple[str, ...]


def _wrote(user: str) -> Walk:
    return Walk("mensajes_de", _WROTE, "", (user,))


def _was_sent(user: str) -> Walk:
    """Supervised messages to `user`. The filter drops only messages to oneself."""
    return Walk("mensajes_para", _WAS_SENT, " AND de <> ?", (user, user))


def _private(de: str, para: str) -> Walk:
    return Walk("mensajes_privados", "para = ? AND de = ? AND supervisado = 0", "", (para, de))


def _each_way(one: str, other: str) -> list[Walk]:
    return [_private(one, other), *([_private(other, one)] if one != other else [])]


def walks(viewer: Viewer, con: str | None) -> list[Walk]:
    """The walks of all messages that `viewer` may read with `con`, or (None, users only) with everyone. No overlap."""
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
    """The rows of a page, in its direction. `reached`: the id where a filtered walk stopped early, None if none did."""

    rows: list[Past]
    reached: int | None


def page(kinds: Sequence[Walk], span: Range, towards: Towards, rows: int) -> Statement:
    """The statement for at most `rows` messages of those walks, as one JSON value; `read` decodes it.

    A filtered walk ends after STRETCH_ROWS; the next statement continues there.
    """
    near, far = (span.before, span.after) if towards is Towards.PAST else (span.after, span.before)
    beyond, within = ("<", ">") if towards is Towards.PAST else (">", "<")
    values: list[int | str | None] = [far]
    edges = ["?"]
    for walk in kinds:
        if walk.filtered:
            # The offset only counts the rows of a stretch; the page itself starts at an id.
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
    """  # noqa: S608  # only constants are inserted
    return sql, [*values, rows]


def read(found: Sequence[Sequence[Any]], span: Range, towards: Towards) -> Read:
    """The rows in the result of `page`."""
    edge, rows = _DECODER.decode(found[0][0])
    far = span.after if towards is Towards.PAST else span.before
    rows.sort(reverse=towards is Towards.PAST)  # SQL does not define the order inside an aggregate
    return Read(rows, None if edge == far else edge)


def beyond(span: Range, reached: int, towards: Towards) -> Range:
    """The part of `span` that follows after `reached`, in the direction `towards`."""
    return Range(span.after, reached + 1) if towards is Towards.PAST else Range(reached - 1, span.before)


def last_seen(user: str) -> Statement:
    """The statement for the time when a user was last seen, in milliseconds since 1970: one row or none."""
    return "SELECT fecha FROM vistos WHERE user = ?", [user]


_WROTE: Final = "de = ? AND supervisado = 1"
_WAS_SENT: Final = "para = ? AND supervisado = 1"
_COLUMNS: Final = "id, de, para, mensaje, fecha"
_DECODER: Final = msgspec.json.Decoder(tuple[int, list[Past]])
