"""The tables of a team of admins (chatd/team), empty without one. Written for both databases. Pure.

Numbers are ids of messages, or milliseconds since 1970. A question is a user's message to the team, an answer an
admin's message to a user.
"""

from __future__ import annotations

from typing import Final

TEAM_TABLES: Final[tuple[str, ...]] = (
    # All users who ever connected. `nombre`: the claim `name`; `admin`: a Role of chatd/team/names.py; `clave`: the
    # text that searches look in.
    """
    CREATE TABLE nombres (
        quien TEXT PRIMARY KEY,
        nombre TEXT NOT NULL,
        admin INTEGER NOT NULL,
        clave TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX nombres_admins ON nombres (quien) WHERE admin = 1",
    # A conversation of the team with the user `con`. `ultimo`: its last message that every admin may read; `entrada`
    # and `respuesta`: the last question and the last answer; `espera`: the first unanswered question. `atiende`: the
    # admin who has claimed it, at `desde`. `resuelto`: messages up to this id are resolved, by `cerro` at `cerrado`
    # (NULL after a later claim). `rev` grows with each change.
    """
    CREATE TABLE casos (
        con TEXT PRIMARY KEY,
        ultimo INTEGER NOT NULL DEFAULT 0,
        entrada INTEGER NOT NULL DEFAULT 0,
        respuesta INTEGER NOT NULL DEFAULT 0,
        espera INTEGER,
        atiende TEXT,
        desde INTEGER,
        resuelto INTEGER NOT NULL DEFAULT 0,
        cerro TEXT,
        cerrado INTEGER,
        rev INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX casos_ultimo ON casos (ultimo)",
    "CREATE INDEX casos_espera ON casos (espera) WHERE espera IS NOT NULL",
    "CREATE INDEX casos_atiende ON casos (atiende, ultimo) WHERE atiende IS NOT NULL",
    "CREATE INDEX casos_libres ON casos (ultimo) WHERE atiende IS NULL AND (cerrado IS NULL OR entrada > resuelto)",
    "CREATE INDEX casos_resueltos ON casos (ultimo) WHERE cerrado IS NOT NULL AND entrada <= resuelto",
    # Notes of admins about a user.
    """
    CREATE TABLE notas (
        id INTEGER PRIMARY KEY,
        con TEXT NOT NULL,
        de TEXT NOT NULL,
        texto TEXT NOT NULL,
        fecha INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX notas_con ON notas (con, id)",
    # Canned replies.
    """
    CREATE TABLE respuestas (
        atajo TEXT PRIMARY KEY,
        texto TEXT NOT NULL,
        de TEXT NOT NULL,
        fecha INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)
