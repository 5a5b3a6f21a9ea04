"""The SQL of the team's list of conversations, for both databases. Pure. Rule D-05, D-12 and D-13.

Each list reads an index of `casos` in its order. Every admin may read every conversation of the team.
"""

from __future__ import annotations

import enum
from typing import Final

from chatd.store.conversations import MAX_COUNT
from chatd.store.marks import read_upto
from chatd.team.casesql import COLUMNS, is_admin, is_question

# ruff: noqa: S608 - the inserted texts are constants of this package

MAX_COUNTED: Final = 1_000
"""The greatest count of cases that is shown; it may stand for more."""

SCANNED: Final = 10_000
"""Names that one statement searches."""


class Kind(enum.StrEnum):
    """The values of `filtro`."""

    MINE = "mias"
    UNCLAIMED = "libres"
    UNANSWERED = "sin_responder"
    RESOLVED = "resueltas"


class Walk(enum.Enum):
    """The order of a page: the SQL condition for entries after the previous page (?2), and the ORDER BY."""

    RECENT = ("ultimo < ?2", "ultimo DESC")
    WAITING = ("espera > ?2", "espera")
    ANSWERED = ("espera IS NULL AND ultimo < ?2", "ultimo DESC")


_OF_KIND: Final = {
    Kind.MINE: "atiende = ?1",
    Kind.UNCLAIMED: "atiende IS NULL AND (cerrado IS NULL OR entrada > resuelto) AND ?1 = ?1",
    Kind.UNANSWERED: "espera IS NOT NULL AND ?1 = ?1",
    Kind.RESOLVED: "cerrado IS NOT NULL AND entrada <= resuelto AND ?1 = ?1",
}

# Admins and systems of the API are not users.
_SHOWN: Final = "ultimo > 0 AND NOT EXISTS (SELECT 1 FROM nombres AS n WHERE n.quien = casos.con AND n.admin > 0)"

_MARK: Final = f"coalesce({read_upto('?1', 'entry.con')}, -1)"

# Messages up to the admin's read mark or up to the last answer are read, unless the admin marked them as unread.
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
    """The statement of one page. Parameters: the admin, the end of the previous page, the number of rows."""
    condition = _OF_KIND[kind] if kind is not None else "?1 = ?1"
    along, order = walk.value
    return f"""
        SELECT {_ENTRY}, entry.espera FROM (
            SELECT {COLUMNS}, ultimo, espera FROM casos WHERE {condition} AND {along} AND {_SHOWN}
            ORDER BY {order} LIMIT ?3
        ) AS entry JOIN mensajes AS last ON last.id = entry.ultimo ORDER BY entry.{order}
    """


# The first unanswered question of a conversation at the time when the given message was its last. Read from the
# messages and not from the case, because a later answer may have changed the case.
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

# Parameters: the admin, the pattern, the user after which the search starts, the number of rows.
FOUND: Final = f"""
    SELECT {_ENTRY}, entry.espera FROM (
        SELECT {COLUMNS.replace("con,", "casos.con,", 1)}, ultimo, espera FROM casos JOIN (
            SELECT quien FROM (SELECT quien, clave, admin FROM nombres WHERE quien > ?3 ORDER BY quien LIMIT {SCANNED})
            AS stretch WHERE clave LIKE ?2 ESCAPE '!' AND admin = 0
        ) AS named ON named.quien = casos.con WHERE ultimo > 0 ORDER BY casos.con LIMIT ?4
    ) AS entry JOIN mensajes AS last ON last.id = entry.ultimo ORDER BY entry.con
"""

# The last of the names that FOUND searches, and their number. Parameter: the user after which the search starts.
STRETCH_END: Final = f"""
    SELECT max(quien), count(*) FROM (SELECT quien FROM nombres WHERE quien > ?1 ORDER BY quien LIMIT {SCANNED}) AS few
"""

UNREAD_WITH: Final = f"SELECT {UNREAD} FROM (SELECT con, respuesta FROM casos WHERE con = ?2) AS entry"


def _count(kind: Kind) -> str:
    some = f"SELECT 1 FROM casos WHERE {_OF_KIND[kind]} AND {_SHOWN} LIMIT {MAX_COUNTED}"
    return f"(SELECT count(*) FROM ({some}) AS few)"


COUNTS: Final = f"SELECT {', '.join(_count(kind) for kind in Kind)}"
"""The counts of all kinds. Parameter: the admin."""

# Private conversations with other admins. Parameter: the admin.
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
