"""The SQL of cases, for both databases. Pure. The columns are explained in chatd/store/team.py.

One statement updates the cases from all messages between two ids; running it again changes nothing. Each action of an
admin is one statement too, so that of two admins who claim a case at once, on any node, the first one gets it.
"""

from __future__ import annotations

from typing import Final

# ruff: noqa: S608 - the inserted texts are constants of this package

STEP_ROWS: Final = 5_000
"""Messages that one statement handles."""


def is_admin(user: str) -> str:
    """The SQL condition: `user` was an admin at its last connection."""
    return f"EXISTS (SELECT 1 FROM nombres AS n WHERE n.quien = {user} AND n.admin = 1)"


def is_of_desk(user: str) -> str:
    """The SQL condition: `user` was an admin at its last connection, or is a system of the API (Role in names.py)."""
    return f"EXISTS (SELECT 1 FROM nombres AS n WHERE n.quien = {user} AND n.admin > 0)"


def is_question(m: str) -> str:
    """The SQL condition: message `m` was written by a user, and not to another known user."""
    return (
        f"{m}.supervisado = 1 AND NOT {is_of_desk(f'{m}.de')} "
        f"AND NOT EXISTS (SELECT 1 FROM nombres AS n WHERE n.quien = {m}.para AND n.admin = 0)"
    )


def _greater(one: str, other: str) -> str:
    return f"(CASE WHEN {one} > {other} THEN {one} ELSE {other} END)"


def _waiting(con: str, answered: str) -> str:
    """The id of the first question of `con` after the id `answered`."""
    return (
        f"(SELECT min(m.id) FROM mensajes AS m INDEXED BY mensajes_de WHERE m.de = {con} AND m.supervisado = 1 "
        f"AND m.id > {answered} AND {is_question('m')})"
    )


COLUMNS: Final = (
    "con, entrada, atiende, desde, resuelto, cerro, cerrado, "
    "(SELECT fecha FROM mensajes WHERE id = espera) AS esperando, rev, respuesta"
)
"""The columns for Case.of."""

NEXT: Final = """
    SELECT max(id), count(*)
    FROM (SELECT id FROM mensajes WHERE id > ?1 AND id <= ?3{own} ORDER BY id LIMIT ?2) AS step
"""
"""The last id and the number of messages of the next step.

Parameters: the id before it, the greatest number of messages, the greatest id.
"""

_STAYS_RESOLVED: Final = (
    f"casos.cerrado IS NOT NULL AND {_greater('casos.entrada', 'excluded.entrada')} <= casos.resuelto"
)
_CLAIMS: Final = f"casos.atiende IS NULL AND NOT ({_STAYS_RESOLVED})"

# Updates the cases from messages with ids in (?1, ?2]; with ?3 = 1, the first answer claims the case.
FOLLOW: Final = f"""
    INSERT INTO casos (con, ultimo, entrada, respuesta, espera, atiende, desde)
    SELECT g.con, g.ultimo, g.entrada, g.respuesta, {_waiting("g.con", "g.respuesta")},
        CASE WHEN ?3 = 1 THEN (SELECT de FROM mensajes WHERE id = g.primera) END,
        CASE WHEN ?3 = 1 THEN (SELECT fecha FROM mensajes WHERE id = g.primera) END
    FROM (
        SELECT con, max(ultimo) AS ultimo, max(entrada) AS entrada, max(respuesta) AS respuesta, min(primera) AS primera
        FROM (
            SELECT m.de AS con, m.id AS ultimo, m.id AS entrada, 0 AS respuesta, NULL AS primera FROM mensajes AS m
            WHERE m.id > ?1 AND m.id <= ?2{{own}} AND {is_question("m")}
            UNION ALL
            SELECT m.para, CASE m.supervisado WHEN 1 THEN m.id ELSE 0 END, 0, m.id, m.id FROM mensajes AS m
            WHERE m.id > ?1 AND m.id <= ?2{{own}}
            AND (m.supervisado = 0 OR {is_admin("m.de")}) AND m.de <> m.para AND NOT {is_of_desk("m.para")}
        ) AS said GROUP BY con
    ) AS g WHERE true ORDER BY g.con
    ON CONFLICT (con) DO UPDATE SET
        ultimo = {_greater("casos.ultimo", "excluded.ultimo")},
        entrada = {_greater("casos.entrada", "excluded.entrada")},
        respuesta = {_greater("casos.respuesta", "excluded.respuesta")},
        espera = {_waiting("casos.con", _greater(_greater("casos.respuesta", "excluded.respuesta"), "casos.resuelto"))},
        atiende = CASE WHEN {_CLAIMS} THEN excluded.atiende ELSE casos.atiende END,
        desde = CASE WHEN {_CLAIMS} THEN excluded.desde ELSE casos.desde END,
        rev = casos.rev + 1
    WHERE excluded.ultimo > casos.ultimo OR excluded.respuesta > casos.respuesta
    RETURNING {COLUMNS}
"""

# Resolves conversations whose last message was answered before there was a team.
RESOLVE_THE_PAST: Final = """
    UPDATE casos SET resuelto = ultimo, cerrado = (SELECT fecha FROM mensajes WHERE id = ultimo)
    WHERE espera IS NULL AND cerrado IS NULL
"""

START: Final = "SELECT max(ultimo), max(respuesta) FROM casos"

READ: Final = f"SELECT {COLUMNS} FROM casos WHERE con = ?1"

# Parameters: the user, the admin, the time, and 1 to take over the claim of another admin.
CLAIM: Final = f"""
    INSERT INTO casos (con, atiende, desde) VALUES (?1, ?2, ?3)
    ON CONFLICT (con) DO UPDATE SET
        desde = CASE WHEN casos.atiende = excluded.atiende THEN casos.desde ELSE excluded.desde END,
        atiende = excluded.atiende, cerro = NULL, cerrado = NULL, rev = casos.rev + 1
    WHERE casos.atiende IS NULL OR casos.atiende = excluded.atiende OR ?4 = 1
    RETURNING {COLUMNS}
"""

RELEASE: Final = f"""
    UPDATE casos SET atiende = NULL, desde = NULL, rev = rev + 1 WHERE con = ?1 AND atiende = ?2 RETURNING {COLUMNS}
"""

# Parameters: the user, the admin, the time, the last resolved message, and 1 to take over the claim of another admin.
RESOLVE: Final = f"""
    INSERT INTO casos (con, cerro, cerrado, resuelto) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (con) DO UPDATE SET
        resuelto = {_greater("casos.resuelto", "excluded.resuelto")},
        cerro = excluded.cerro, cerrado = excluded.cerrado,
        espera = {_waiting("casos.con", _greater("casos.respuesta", _greater("casos.resuelto", "excluded.resuelto")))},
        atiende = NULL, desde = NULL, rev = casos.rev + 1
    WHERE casos.atiende IS NULL OR casos.atiende = excluded.cerro OR ?5 = 1
    RETURNING {COLUMNS}
"""

CLAIMANTS: Final = "SELECT DISTINCT atiende FROM casos WHERE atiende IS NOT NULL"

RELEASE_ALL: Final = f"""
    UPDATE casos SET atiende = NULL, desde = NULL, rev = rev + 1 WHERE atiende = ?1 RETURNING {COLUMNS}
"""

# The number of waiting users, the time of the oldest unanswered question, and the number of claimed cases.
STANDING: Final = """
    SELECT (SELECT count(*) FROM casos WHERE espera IS NOT NULL),
        (SELECT fecha FROM mensajes WHERE id = (SELECT min(espera) FROM casos WHERE espera IS NOT NULL)),
        (SELECT count(*) FROM casos WHERE atiende IS NOT NULL)
"""
