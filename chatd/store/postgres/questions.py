"""The queries of the chat in PostgreSQL's SQL. Pure. The queries are explained in the files for SQLite: history.py,
conversations.py, missed.py, lookup.py.

Differences: PostgreSQL stops each part of a page after as many rows as the page has. There is an index for messages
from one user to another. Several questions are passed as arrays to one statement, whatever their number.
"""

from __future__ import annotations

from typing import Final

from chatd.store.base import MAX_CIDS
from chatd.store.conversations import MAX_COUNT, MAX_EXAMINED, MAX_PARTNERS, RECENT_ROWS
from chatd.store.history import Towards, Viewer
from chatd.store.marks import read_upto

# ruff: noqa: S608 - only constants are inserted

COLUMNS: Final = "id, de, para, mensaje, fecha"

_PRIVATE: Final = "mensajes AS m WHERE m.para = $1 AND m.supervisado = 0"
_FROM_USERS: Final = "mensajes AS m WHERE m.para = $1 AND m.supervisado = 1"
_WITHIN: Final = "con >= $2 AND con < $2 || chr(1114111)"


def _kinds(viewer: Viewer, con: str | None) -> list[str]:
    """The conditions of rule C-71; $4 is the reader, $5 the other user. No row fulfils two of them."""
    if con is None:
        return [
            "de = $4 AND supervisado = 1",
            "para = $4 AND supervisado = 1 AND de <> $4",
            "para = $4 AND supervisado = 0",
        ]
    private = ["para = $5 AND de = $4 AND supervisado = 0"]
    if con != viewer.user:
        private.append("para = $4 AND de = $5 AND supervisado = 0")
    if viewer.is_admin:
        return ["de = $5 AND supervisado = 1", "para = $5 AND supervisado = 1 AND de <> $5", *private]
    shown = ["de = $4 AND para = $5 AND supervisado = 1"]
    if con != viewer.user:
        shown.append("de = $5 AND para = $4 AND supervisado = 1")
    return [*shown, *private]


def page(viewer: Viewer, con: str | None, towards: Towards) -> str:
    """A page. Parameters: both ends of the range (excluded), the number of rows, the reader, and `con` if given."""
    end = f"AND id > $1 AND id < $2 ORDER BY id {towards.value} LIMIT $3"
    parts = (f"(SELECT {COLUMNS} FROM mensajes WHERE {kind} {end})" for kind in _kinds(viewer, con))
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS kinds ORDER BY id {towards.value} LIMIT $3"


def _mark(con: str) -> str:
    """SQL for the id up to which $1 has read messages of `con`, -1 without a mark."""
    return f"coalesce({read_upto('$1', con)}, -1)"


def _unread(con: str) -> str:
    """SQL for the number of messages by `con` that the admin $1 has not read."""
    kinds = (
        (f"m.de = {con} AND m.supervisado = 1", read_upto("$1", con, by_admin=True)),
        (f"m.para = $1 AND m.supervisado = 0 AND m.de = {con}", read_upto("$1", con)),
    )
    counts = " + ".join(
        f"(SELECT count(*) FROM (SELECT 1 FROM mensajes AS m WHERE {kind} AND m.de <> $1 "
        f"AND m.id > coalesce({mark}, -1) LIMIT {MAX_COUNT}) AS few)"
        for kind, mark in kinds
    )
    return f"least({MAX_COUNT}, {counts})"


def _last_of(lector: str, con: str) -> str:
    return f"(SELECT ultimo FROM conversaciones AS c WHERE c.lector = {lector} AND c.con = {con})"


def _examined_of(lector: str) -> str:
    return (
        f"(SELECT con, ultimo FROM conversaciones WHERE lector = {lector} AND ultimo < $2 "
        f"ORDER BY ultimo DESC LIMIT {MAX_EXAMINED})"
    )


# Parameters: the admin, the id before which they end, the number of rows. The first two columns of each row tell how
# many entries were examined, and the oldest of them.
CONVERSATIONS: Final = f"""
    WITH RECURSIVE walk (de) AS (
        (SELECT min(m.de) FROM {_PRIVATE})
        UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > walk.de) FROM walk WHERE walk.de IS NOT NULL
    ), received (con, ultimo) AS MATERIALIZED (
        SELECT de, (SELECT max(m.id) FROM {_PRIVATE} AND m.de = admins.de)
        FROM (SELECT de FROM walk LIMIT {MAX_PARTNERS}) AS admins WHERE de <> $1
    ), examined (con, ultimo) AS MATERIALIZED (
        SELECT con, ultimo FROM (
            {_examined_of("''")} UNION ALL {_examined_of("$1")}
            UNION ALL SELECT con, ultimo FROM received WHERE ultimo < $2
        ) AS lists ORDER BY ultimo DESC LIMIT {MAX_EXAMINED}
    ), listed (con, ultimo) AS (
        SELECT con, ultimo FROM examined WHERE
            coalesce({_last_of("''", "examined.con")}, ultimo) <= ultimo
            AND coalesce({_last_of("$1", "examined.con")}, ultimo) <= ultimo
            AND coalesce((SELECT r.ultimo FROM received AS r WHERE r.con = examined.con), ultimo) <= ultimo
            AND (con <> $1 OR EXISTS (SELECT 1 FROM mensajes AS m WHERE m.id = examined.ultimo AND m.para = $1))
        ORDER BY ultimo DESC LIMIT $3
    )
    SELECT looked.cuantos, looked.ultimo, entry.*
    FROM (SELECT count(*) AS cuantos, min(ultimo) AS ultimo FROM examined) AS looked
    LEFT JOIN LATERAL (
        SELECT listed.con, {COLUMNS}, {_unread("listed.con")} AS no_leidos
        FROM listed JOIN mensajes ON id = listed.ultimo
    ) AS entry ON true ORDER BY entry.id DESC
"""

# Parameters: the admin, the prefix of the names, the number of rows. One more entry of each list: see `named` of
# SQLite.
NAMED: Final = f"""
    WITH RECURSIVE walk (con) AS (
        (SELECT min(m.de) FROM {_PRIVATE} AND m.de >= $2)
        UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > walk.con) FROM walk WHERE {_WITHIN}
    ), entry (con) AS MATERIALIZED (
        (SELECT con FROM conversaciones WHERE lector = '' AND {_WITHIN} ORDER BY con LIMIT $3::bigint + 1)
        UNION (SELECT con FROM conversaciones WHERE lector = $1 AND {_WITHIN} ORDER BY con LIMIT $3 + 1)
        UNION SELECT con FROM (SELECT con FROM walk LIMIT $3 + 1) AS admins WHERE {_WITHIN}
        ORDER BY con LIMIT $3 + 1
    ), latest (con, ultimo) AS (
        SELECT con, greatest(
            {_last_of("''", "entry.con")}, {_last_of("$1", "entry.con")},
            (SELECT max(m.id) FROM {_PRIVATE} AND m.de = entry.con)
        ) FROM entry
    )
    SELECT latest.con, {COLUMNS}, {_unread("latest.con")} AS no_leidos
    FROM latest JOIN mensajes ON id = latest.ultimo
    WHERE latest.con <> $1 OR para = $1 ORDER BY latest.con LIMIT $3
"""

_RECENT: Final = f"(SELECT m.de, m.id FROM {_FROM_USERS} ORDER BY m.id DESC LIMIT {RECENT_ROWS}) AS recent"

# Parameter: the user.
UNREAD: Final = f"""
    WITH RECURSIVE walk (de) AS (
        (SELECT min(m.de) FROM {_PRIVATE})
        UNION ALL SELECT (SELECT min(m.de) FROM {_PRIVATE} AND m.de > walk.de) FROM walk WHERE walk.de IS NOT NULL
    ), counted (con, cuantos) AS (
        SELECT de, (SELECT count(*) FROM (
            SELECT 1 FROM {_PRIVATE} AND m.de = senders.de AND m.id > {_mark("senders.de")} LIMIT {MAX_COUNT}) AS few)
        FROM (SELECT de FROM walk LIMIT {MAX_PARTNERS}) AS senders WHERE de IS NOT NULL
        UNION ALL
        SELECT de, count(*) FROM {_RECENT} WHERE id > {_mark("recent.de")} GROUP BY de
    )
    SELECT con, least(sum(cuantos), {MAX_COUNT})::bigint FROM counted WHERE con <> $1
    GROUP BY con HAVING sum(cuantos) > 0 ORDER BY con
"""

# Parameters of both: the reader and the other user.
UNREAD_BY_ADMIN: Final = f"SELECT {_unread('$2')}"
UNREAD_BY_USER: Final = f"""
    SELECT CASE WHEN $1 = $2 THEN 0 ELSE least({MAX_COUNT},
        (SELECT count(*) FROM (
            SELECT 1 FROM {_PRIVATE} AND m.de = $2 AND m.id > {_mark("$2")} LIMIT {MAX_COUNT}) AS few)
        + (SELECT count(*) FROM {_RECENT} WHERE de = $2 AND id > {_mark("$2")})
    ) END
"""


def _sent(columns: str, limit: str) -> str:
    """Messages sent to the user who asks: supervised ones (for an admin all of them), and private ones."""
    between = f"id > asked.after AND id <= asked.upto ORDER BY id LIMIT {limit}"
    kinds = (
        "asked.is_admin AND supervisado = 1",
        "NOT asked.is_admin AND para = asked.who AND supervisado = 1",
        "para = asked.who AND supervisado = 0",
    )
    return " UNION ALL ".join(f"(SELECT {columns} FROM mensajes WHERE {kind} AND {between})" for kind in kinds)


# Parameters: an array for each field of the questions, the rows per page, the limit.
MISSED: Final = f"""
    SELECT asked.number, more.beyond, sent.*
    FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])
        AS asked (number, who, is_admin, after, upto)
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT 1 FROM ({_sent("id", "$7::bigint + 1")}) AS sent OFFSET $7) AS beyond
    ) AS more
    LEFT JOIN LATERAL (
        SELECT * FROM ({_sent(f"{COLUMNS}, supervisado, cid", "$6::bigint")}) AS sent ORDER BY id LIMIT $6
    ) AS sent ON true
    ORDER BY asked.number, sent.id
"""

# Parameters: an array for each field of the questions.
FIND: Final = f"""
    SELECT asked.number, m.id, m.fecha, CASE WHEN asked.list THEN (
        SELECT coalesce(array_agg(cid), '{{}}') FROM (
            SELECT cid FROM mensajes WHERE de = asked.de AND cid IS NOT NULL LIMIT {MAX_CIDS + 1}) AS few
    ) END AS cids
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[]) AS asked (number, de, cid, list)
    LEFT JOIN mensajes AS m ON m.de = asked.de AND m.cid = asked.cid AND m.cid IS NOT NULL
    WHERE m.id IS NOT NULL OR asked.list
"""
