"""The conversations of an admin, and unread counts. Pure: SQL and its values. Rules C-73 to C-75 and C-77.

The list merges three lists: users whose messages every admin may read, users to whom this admin wrote in private (both
in the table `conversaciones`, see summary.py), and admins who wrote to this admin. A user in several lists appears
once, with the latest message. Counts stop at MAX_COUNT, because a reader without marks may have millions of unread
messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from .history import Past, Statement, Viewer
from .marks import read_upto

MAX_COUNT: Final = 100

MAX_EXAMINED: Final = 60
"""Entries of the lists that one statement reads; an entry with a later message in another list is skipped."""

MAX_PARTNERS: Final = 200
"""Authors of private messages to a user that one statement reads."""

RECENT_ROWS: Final = 1_000
"""Most recent messages of other users to a user, among which unread ones are counted."""


_PRIVATE: Final = "mensajes AS m INDEXED BY mensajes_privados WHERE m.para = ?1 AND m.supervisado = 0"
_WITHIN: Final = "con >= ?2 AND con < ?2 || char(0x10FFFF)"
_FROM_USERS: Final = "mensajes AS m INDEXED BY mensajes_para WHERE m.para = ?1 AND m.supervisado = 1"


class Conversation(NamedTuple):
    """`ultimo`: the last message that the reader may read; `no_leidos`: unread messages, at most MAX_COUNT."""

    con: str
    ultimo: Past
    no_leidos: int


class Listed(NamedTuple):
    """A part of the list. `upto`: the last message id that was read, None at the end of the list."""

    conversations: list[Conversation]
    upto: int | None


class Unread(NamedTuple):
    """At most MAX_COUNT messages of one conversation."""

    con: str
    cuantos: int


def conversations(admin: str, before: int, rows: int) -> Statement:
    """The statement for the latest conversations whose last message is before the id `before`; `listed` decodes it."""
    sql = f"""
        WITH RECURSIVE admins (de) AS (
            SELECT min(m.de) FROM {_PRIVATE}
            UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > admins.de)
            FROM admins WHERE admins.de IS NOT NULL LIMIT {MAX_PARTNERS}
        ), received (con, ultimo) AS (
            SELECT de, (SELECT max(m.id) FROM {_PRIVATE} AND m.de = admins.de)
            FROM admins WHERE de <> ?1
        ), examined (con, ultimo) AS (
            SELECT con, ultimo FROM (
                SELECT con, ultimo FROM (
                    SELECT con, ultimo FROM conversaciones WHERE lector = '' AND ultimo < ?2
                    ORDER BY ultimo DESC LIMIT {MAX_EXAMINED})
                UNION ALL SELECT con, ultimo FROM (
                    SELECT con, ultimo FROM conversaciones WHERE lector = ?1 AND ultimo < ?2
                    ORDER BY ultimo DESC LIMIT {MAX_EXAMINED})
                UNION ALL SELECT con, ultimo FROM received WHERE ultimo < ?2
            ) ORDER BY ultimo DESC LIMIT {MAX_EXAMINED}
        ), listed (con, ultimo) AS (
            SELECT con, ultimo FROM examined WHERE
                NOT EXISTS (SELECT 1 FROM conversaciones AS c
                    WHERE c.lector = '' AND c.con = examined.con AND c.ultimo > examined.ultimo)
                AND NOT EXISTS (SELECT 1 FROM conversaciones AS c
                    WHERE c.lector = ?1 AND c.con = examined.con AND c.ultimo > examined.ultimo)
                AND NOT EXISTS (SELECT 1 FROM received WHERE received.con = examined.con
                    AND received.ultimo > examined.ultimo)
                AND (con <> ?1 OR EXISTS (SELECT 1 FROM mensajes WHERE id = examined.ultimo AND para = ?1))
            ORDER BY ultimo DESC LIMIT ?3
        )
        SELECT json_object(
            'examined', (SELECT json_array(count(*), min(ultimo)) FROM examined),
            'rows', (SELECT json_group_array(json_array(
                entry.con, json_array(m.id, m.de, m.para, m.mensaje, m.fecha), {_unread("?1", "entry.con")}
            )) FROM (SELECT * FROM listed ORDER BY ultimo DESC) AS entry JOIN mensajes AS m ON m.id = entry.ultimo)
        )
    """  # noqa: S608  # only constants are inserted
    return sql, [admin, before, rows]


def named(admin: str, prefix: str, rows: int) -> Statement:
    """The statement for conversations with users whose name starts with `prefix`, by name; `found` decodes it."""
    # Each list is read with one more entry: the admin's own name may be in it, which is no conversation.
    sql = f"""
        WITH RECURSIVE admins (con) AS (
            SELECT min(m.de) FROM {_PRIVATE} AND m.de >= ?2
            UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > admins.con)
            FROM admins WHERE {_WITHIN} LIMIT ?3 + 1
        ), entry (con) AS (
            SELECT con FROM (SELECT con FROM conversaciones WHERE lector = '' AND {_WITHIN} ORDER BY con LIMIT ?3 + 1)
            UNION SELECT con FROM (
                SELECT con FROM conversaciones WHERE lector = ?1 AND {_WITHIN} ORDER BY con LIMIT ?3 + 1)
            UNION SELECT con FROM admins WHERE {_WITHIN}
            ORDER BY con LIMIT ?3 + 1
        ), latest (con, ultimo) AS (
            SELECT con, max(
                coalesce((SELECT ultimo FROM conversaciones AS c WHERE c.lector = '' AND c.con = entry.con), -1),
                coalesce((SELECT ultimo FROM conversaciones AS c WHERE c.lector = ?1 AND c.con = entry.con), -1),
                coalesce((SELECT max(m.id) FROM {_PRIVATE} AND m.de = entry.con), -1)
            ) FROM entry
        )
        SELECT json_group_array(json_array(con, json_array(id, de, para, mensaje, fecha), {_unread("?1", "named.con")}))
        FROM (
            SELECT latest.con, m.* FROM latest JOIN mensajes AS m ON m.id = latest.ultimo
            WHERE latest.con <> ?1 OR m.para = ?1 ORDER BY latest.con LIMIT ?3
        ) AS named
    """  # noqa: S608  # only constants are inserted
    return sql, [admin, prefix, rows]


def found(rows: Sequence[Sequence[Any]]) -> list[Conversation]:
    """The conversations in the result of `named`, by name."""
    return sorted(_CONVERSATIONS.decode(rows[0][0]), key=lambda each: each.con.encode())


class _Answer(msgspec.Struct):
    examined: tuple[int, int | None]
    rows: list[Conversation]


def listed(found: Sequence[Sequence[Any]], rows: int) -> Listed:
    """The conversations in the result of `conversations`, most recent first."""
    answer = _DECODER.decode(found[0][0])
    count, oldest = answer.examined
    answer.rows.sort(key=lambda each: -each.ultimo.id)  # SQL does not define the order inside an aggregate
    if len(answer.rows) == rows:
        return Listed(answer.rows, answer.rows[-1].ultimo.id)
    return Listed(answer.rows, oldest if count == MAX_EXAMINED else None)


def unread(viewer: Viewer) -> Statement:
    """For a user: the statement for the unread messages by author. Rows (con, count) without zeros."""
    sql = f"""
        WITH RECURSIVE senders (de) AS (
            SELECT min(m.de) FROM {_PRIVATE}
            UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > senders.de)
            FROM senders WHERE senders.de IS NOT NULL LIMIT {MAX_PARTNERS}
        ), counted (con, cuantos) AS (
            SELECT de, (SELECT count(*) FROM (
                SELECT 1 FROM {_PRIVATE} AND m.de = senders.de AND m.id > {_mark("?1", "senders.de")}
                LIMIT {MAX_COUNT}))
            FROM senders WHERE de IS NOT NULL
            UNION ALL
            SELECT de, count(*) FROM (
                SELECT m.de, m.id FROM {_FROM_USERS} ORDER BY m.id DESC LIMIT {RECENT_ROWS}
            ) AS recent WHERE id > {_mark("?1", "recent.de")} GROUP BY de
        )
        SELECT con, min(sum(cuantos), {MAX_COUNT}) FROM counted WHERE con <> ?1
        GROUP BY con HAVING sum(cuantos) > 0 ORDER BY con
    """  # noqa: S608  # only constants are inserted
    return sql, [viewer.user]


def unread_with(viewer: Viewer, con: str) -> Statement:
    """The statement for the unread count of one conversation: one row."""
    if viewer.is_admin:
        return f"SELECT {_unread('?1', '?2')}", [viewer.user, con]
    sql = f"""
        SELECT min({MAX_COUNT},
            (SELECT count(*) FROM (SELECT 1 FROM {_PRIVATE} AND m.de = ?2 AND m.id > {_mark("?1", "?2")}
                LIMIT {MAX_COUNT}))
            + (SELECT count(*) FROM (
                SELECT m.de, m.id FROM {_FROM_USERS} ORDER BY m.id DESC LIMIT {RECENT_ROWS}
            ) WHERE de = ?2 AND id > {_mark("?1", "?2")})
        ) * (?1 <> ?2)
    """  # noqa: S608  # only constants are inserted
    return sql, [viewer.user, con]


def _mark(reader: str, con: str) -> str:
    return f"coalesce({read_upto(reader, con)}, -1)"


def _unread(admin: str, con: str) -> str:
    """SQL for the number of messages by `con` that an admin has not read. A message counts only for its author."""
    kinds = (
        ("mensajes_de", f"m.de = {con} AND m.supervisado = 1", read_upto(admin, con, by_admin=True)),
        ("mensajes_privados", f"m.para = {admin} AND m.supervisado = 0 AND m.de = {con}", read_upto(admin, con)),
    )
    counts = " + ".join(
        f"(SELECT count(*) FROM (SELECT 1 FROM mensajes AS m INDEXED BY {index} WHERE {kind} "  # noqa: S608
        f"AND m.de <> {admin} AND m.id > coalesce({mark}, -1) LIMIT {MAX_COUNT}))"
        for index, kind, mark in kinds
    )
    return f"min({MAX_COUNT}, {counts})"


_DECODER: Final = msgspec.json.Decoder(_Answer)
_CONVERSATIONS: Final = msgspec.json.Decoder(list[Conversation])
