"""The SQL of the team's list of conversations, for both databases. Pure. Rule D-05, D-12 and D-13.

Each list goes along an index of `casos` in its order. What an admin reads of a conversation is what every admin may.
"""

from __future__ import annotations

import enum
from typing import Final

from chatd.store.conversations import MAX_COUNT
from chatd.store.marks import read_upto
from chatd.team.casesql import COLUMNS, is_admin, is_question

# ruff: noqa: S608 - words of ours

MAX_COUNTED: Final = 1_000
"""Of the cases of a kind: that many stand for more."""

SCANNED: Final = 10_000
"""Names that one statement searches."""


class Kind(enum.StrEnum):
    """`filtro`."""

    MINE = "mias"
    UNCLAIMED = "libres"
    UNANSWERED = "sin_responder"
    RESOLVED = "resueltas"


class Walk(enum.Enum):
    """Along which column a page goes on: the condition, which takes where the page before ended, and the order."""

    RECENT = ("ultimo < ?2", "ultimo DESC")
    WAITING = ("espera > ?2", "espera")
    ANSWERED = ("espera IS NULL AND ultimo < ?2", "ultimo DESC")


_OF_KIND: Final = {
    Kind.MINE: "atiende = ?1",
    Kind.UNCLAIMED: "atiende IS NULL AND (cerrado IS NULL OR entrada > resuelto) AND ?1 = ?1",
    Kind.UNANSWERED: "espera IS NOT NULL AND ?1 = ?1",
    Kind.RESOLVED: "cerrado IS NOT NULL AND entrada <= resuelto AND ?1 = ?1",
}

# Admins, and systems that speak for the desk, are not among the users.
_SHOWN: Final = "ultimo > 0 AND NOT EXISTS (SELECT 1 FROM nombres AS n WHERE n.quien = casos.con AND n.admin > 0)"

_MARK: Final = f"coalesce({read_upto('?1', 'entry.con')}, -1)"

# Read is what the admin has marked, and what was answered, unless the admin has marked it as unread.
_READ_OR_ANSWERED: Final = """
    (SELECT CASE WHEN min(vuelta) < max(hasta) OR min(vuelta) < entry.respuesta THEN min(vuelta)
        WHEN max(hasta) > entry.respuesta THEN max(hasta) ELSE entry.respuesta END
    FROM leidos WHERE lector IN (?1, '') AND leidos.con IN (entry.con, ''))
"""

UNREAD: Final = f"""
    (SELECT count(*) FROM (SELECT 1 FROM mensajes AS m INDEXED BY mensajes_de
        WHERE m.de = entry.con AND m.supervisado = 1 AND m.id > {_READ_OR_ANSWERED} LIMIT {MAX_COUNT}) AS few)
"""

_ENTRY: Final = f"""
    entry.con, last.id, last.de, last.para, last.mensaje, last.fecha, {UNREAD},
    entry.entrada, entry.atiende, entry.desde, entry.resuelto, entry.cerro, entry.cerrado, entry.esperando, entry.rev
"""


def listed(kind: Kind | None, walk: Walk) -> str:
    """Takes the admin, where the page before ended, and how many."""
    condition = _OF_KIND[kind] if kind is not None else "?1 = ?1"
    along, order = walk.value
    return f"""
        SELECT {_ENTRY}, entry.espera FROM (
            SELECT {COLUMNS}, ultimo, espera FROM casos WHERE {condition} AND {along} AND {_SHOWN}
            ORDER BY {order} LIMIT ?3
        ) AS entry JOIN mensajes AS last ON last.id = entry.ultimo ORDER BY entry.{order}
    """


# The first question without an answer when a message was its conversation's last: takes that message. Read from the
# messages and not from the case, which an answer may have changed since.
WAITED_SINCE: Final = f"""
    SELECT (
        SELECT min(q.id) FROM mensajes AS q INDEXED BY mensajes_de
        WHERE q.de = asked.con AND q.supervisado = 1 AND q.id <= ?1 AND {is_question("q")}
        AND q.id > coalesce((SELECT max(a.id) FROM mensajes AS a WHERE a.para = asked.con AND a.id < ?1
            AND a.de <> asked.con AND (a.supervisado = 0 OR {is_admin("a.de")})), 0)
        AND q.id > (SELECT CASE WHEN resuelto < ?1 THEN resuelto ELSE 0 END FROM casos WHERE con = asked.con)
    )
    FROM (
        SELECT CASE WHEN {is_question("m")} THEN m.de ELSE m.para END AS con FROM mensajes AS m WHERE m.id = ?1
    ) AS asked
"""

# Takes the admin, the pattern, the name behind which, and how many. The last name that was searched is in each row.
FOUND: Final = f"""
    SELECT {_ENTRY}, entry.espera FROM (
        SELECT {COLUMNS.replace("con,", "casos.con,", 1)}, ultimo, espera FROM casos JOIN (
            SELECT quien FROM (SELECT quien, clave, admin FROM nombres WHERE quien > ?3 ORDER BY quien LIMIT {SCANNED})
            AS stretch WHERE clave LIKE ?2 ESCAPE '!' AND admin = 0
        ) AS named ON named.quien = casos.con WHERE ultimo > 0 ORDER BY casos.con LIMIT ?4
    ) AS entry JOIN mensajes AS last ON last.id = entry.ultimo ORDER BY entry.con
"""

# Where such a stretch ends: takes the name behind which it begins.
STRETCH_END: Final = f"""
    SELECT max(quien), count(*) FROM (SELECT quien FROM nombres WHERE quien > ?1 ORDER BY quien LIMIT {SCANNED}) AS few
"""

UNREAD_WITH: Final = f"SELECT {UNREAD} FROM (SELECT con, respuesta FROM casos WHERE con = ?2) AS entry"


def _count(kind: Kind) -> str:
    some = f"SELECT 1 FROM casos WHERE {_OF_KIND[kind]} AND {_SHOWN} LIMIT {MAX_COUNTED}"
    return f"(SELECT count(*) FROM ({some}) AS few)"


COUNTS: Final = f"SELECT {', '.join(_count(kind) for kind in Kind)}"
"""Takes the admin."""

# Other admins with whom this one had words in private: takes the admin.
COLLEAGUES: Final = f"""
    SELECT entry.con, last.id, last.de, last.para, last.mensaje, last.fecha,
        (SELECT count(*) FROM (SELECT 1 FROM mensajes AS m INDEXED BY mensajes_privados
            WHERE m.para = ?1 AND m.supervisado = 0 AND m.de = entry.con AND m.id > {_MARK} LIMIT {MAX_COUNT}) AS few)
    FROM (
        SELECT con, CASE WHEN coalesce(came, 0) > coalesce(went, 0) THEN came ELSE went END AS ultimo FROM (
            SELECT n.quien AS con,
                (SELECT max(m.id) FROM mensajes AS m INDEXED BY mensajes_privados
                    WHERE m.para = ?1 AND m.de = n.quien AND m.supervisado = 0) AS came,
                (SELECT max(m.id) FROM mensajes AS m INDEXED BY mensajes_privados
                    WHERE m.para = n.quien AND m.de = ?1 AND m.supervisado = 0) AS went
            FROM nombres AS n WHERE n.admin = 1 LIMIT 200
        ) AS both_ways
    ) AS entry JOIN mensajes AS last ON last.id = entry.ultimo
"""
