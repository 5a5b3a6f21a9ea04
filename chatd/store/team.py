"""The tables of a team of admins (chatd/team), which stand empty without one. Written for both databases. Pure.

Numbers are ids of messages, and milliseconds since 1970; what a user wrote to the desk is a question, what an admin
wrote to a user an answer.
"""

from __future__ import annotations

from typing import Final

TEAM_TABLES: Final[tuple[str, ...]] = (
    # Who was here: the claim `name`, whether the token was an admin's, and what is searched in both names.
    # `admin` is a Role of chatd/team/names.py.
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
    # and `respuesta`: the last question and the last answer; `espera`: the first question without an answer.
    # `atiende`: the admin who is on it, `desde` when. `resuelto`: what is up to there is resolved, by `cerro` at
    # `cerrado`, which is empty if that was taken back. `rev` grows with each change.
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
    # What admins note about a user.
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
    # Answers that are written once and used often.
    """
    CREATE TABLE respuestas (
        atajo TEXT PRIMARY KEY,
        texto TEXT NOT NULL,
        de TEXT NOT NULL,
        fecha INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)
