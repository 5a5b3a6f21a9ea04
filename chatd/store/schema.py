"""The tables, as a list of steps from an empty file to what this chatd needs.

A step that was released is never changed: the next one is added at the end. `PRAGMA user_version` in the file
says how many steps it has taken.
"""

from __future__ import annotations

from typing import Final

import aiosqlite

from chatd.base.errors import ConfigError

from .casehooks import CASE_TABLES, CASE_TRIGGERS
from .hooks import HOOK_TABLES, PRESENCE_TABLES, WAIT_TABLES
from .mail import MAIL_TABLES
from .marks import GO_BACK
from .pruning import ASTRAY_INDEX, LIST_TRIGGER
from .summary import SUM_UP_ALL
from .team import TEAM_TABLES
from .vouched import CLOCK_TABLE, VOUCH_FOR_NEWEST

# STRICT tables came with 3.37, functions for JSON as a part of every build with this version.
MIN_SQLITE: Final = (3, 38, 0)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # `fecha`: milliseconds since 1970, UTC. `supervisado`: 1 when the sender was no admin.
        """
        CREATE TABLE mensajes (
            id INTEGER PRIMARY KEY,
            de TEXT NOT NULL,
            para TEXT NOT NULL,
            mensaje TEXT NOT NULL,
            fecha INTEGER NOT NULL,
            supervisado INTEGER NOT NULL
        ) STRICT
        """,
    ),
    (
        # `cid`: the id that its sender gave it, so that sending it twice makes one row; NULL where there is none.
        "ALTER TABLE mensajes ADD COLUMN cid TEXT",
        "CREATE UNIQUE INDEX mensajes_cid ON mensajes (de, cid) WHERE cid IS NOT NULL",
    ),
    (
        # Every index ends in the id, as SQLite's do in the rowid. Pages and recovery go along them:
        # what a user was sent, in its two kinds; what a user wrote; what every admin may read;
        # Measured, CPU of the writer for each row, batches of 1,024 (of 64), before and after this step: one user and
        # one admin who take turns, 2.0 (4.9) and 6 (13) µs; 20,000 users by a power law, in a table of a million,
        # 2.2 (4.3) and 40 (50) µs. What costs is not the entry but its page, 4 KB for the log and the checkpoint: two
        # for each private row, one for each other, whose recipients are few.
        "CREATE INDEX mensajes_para ON mensajes (para, supervisado)",
        "CREATE INDEX mensajes_de ON mensajes (de, supervisado, id, para) WHERE supervisado = 1",
        "CREATE INDEX mensajes_supervisados ON mensajes (supervisado) WHERE supervisado = 1",
        # what an admin wrote to one user only. (A partial index covers only what is in it: therefore
        # `supervisado`, which takes a byte.)
        "CREATE INDEX mensajes_privados ON mensajes (para, de, supervisado) WHERE supervisado = 0",
        # The conversations of all admins (`lector` is empty) and of each; `ultimo` is the last id. See summary.py.
        """
        CREATE TABLE conversaciones (
            lector TEXT NOT NULL,
            con TEXT NOT NULL,
            ultimo INTEGER NOT NULL,
            PRIMARY KEY (lector, con)
        ) STRICT, WITHOUT ROWID
        """,
        SUM_UP_ALL.format(after=-(2**63), upto=2**63 - 1),
        "CREATE INDEX conversaciones_ultimo ON conversaciones (lector, ultimo)",
        # `hasta`: the id up to which `lector` has read the conversation with `con`.
        """
        CREATE TABLE leidos (
            lector TEXT NOT NULL,
            con TEXT NOT NULL,
            hasta INTEGER NOT NULL,
            PRIMARY KEY (lector, con)
        ) STRICT, WITHOUT ROWID
        """,
        # `fecha`: when the user was last seen, in milliseconds since 1970, UTC.
        "CREATE TABLE vistos (user TEXT PRIMARY KEY, fecha INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        # Keys that are made once and live as long as the file; a reader of the file can read every message.
        "CREATE TABLE secretos (nombre TEXT PRIMARY KEY, valor BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        # See pruning.py.
        ASTRAY_INDEX,
        LIST_TRIGGER,
        # `fecha`: until when the file was in use, by a clock that was believed. See vouched.py.
        CLOCK_TABLE,
        VOUCH_FOR_NEWEST,
    ),
    TEAM_TABLES,
    HOOK_TABLES,
    (GO_BACK,),
    WAIT_TABLES,
    (*CASE_TABLES, *CASE_TRIGGERS),
    PRESENCE_TABLES,
    MAIL_TABLES,
)


async def migrate(connection: aiosqlite.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Take all steps that the file has not taken, in one transaction: afterwards it has all of them or none.

    Something is written even when no step is left, and then rolled back: that is how a file that is read-only or
    locked is found out. (A BEGIN IMMEDIATE on a read-only file succeeds.) Raises ConfigError for a file that a
    newer chatd or another program has made, and sqlite3.Error.
    """
    await connection.execute_fetchall("BEGIN IMMEDIATE")
    try:
        version = await _number(connection, "PRAGMA user_version")
        if version > len(migrations):
            raise ConfigError(
                f"the database was written by a newer chatd (schema {version}, this one knows {len(migrations)}): "
                "start that version, or choose another --db"
            )
        if version == 0 and await _number(connection, "SELECT count(*) FROM sqlite_master"):
            raise ConfigError("the database belongs to another program: choose another --db")
        for step in migrations[version:]:
            for statement in step:
                await connection.execute_fetchall(statement)
        await connection.execute_fetchall(f"PRAGMA user_version = {len(migrations)}")  # it takes no parameter
        await connection.execute_fetchall("COMMIT" if version < len(migrations) else "ROLLBACK")
    except BaseException:
        await connection.rollback()
        raise


async def _number(connection: aiosqlite.Connection, sql: str) -> int:
    for row in await connection.execute_fetchall(sql):
        return int(row[0])
    raise AssertionError(sql)
