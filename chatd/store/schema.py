"""The schema, as a list of migration steps from an empty file.

A released step is never changed; new steps are added at the end. `PRAGMA user_version` in the file is the number of
steps that were applied.
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

# STRICT tables need 3.37; the JSON functions are part of every build from 3.38 on.
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
        # `cid`: the id that the sender gave the message, so that sending it twice makes one row; NULL without one.
        "ALTER TABLE mensajes ADD COLUMN cid TEXT",
        "CREATE UNIQUE INDEX mensajes_cid ON mensajes (de, cid) WHERE cid IS NOT NULL",
    ),
    (
        # Every index ends with the id, because SQLite's indexes end with the rowid. Pages and recovery read them in
        # order: messages sent to a user (supervised or not), messages written by a user, messages for every admin.
        # CPU of the writer per row, for batches of 1,024 (of 64) rows, measured before and after this step: one user
        # and one admin in turns: 2.0 (4.9) and 6 (13) µs; 20,000 users by a power law in a table of a million: 2.2
        # (4.3) and 40 (50) µs. The cost is that of changed pages, 4 KB each in the log and in the checkpoint: two for
        # each private row, one for each other row.
        "CREATE INDEX mensajes_para ON mensajes (para, supervisado)",
        "CREATE INDEX mensajes_de ON mensajes (de, supervisado, id, para) WHERE supervisado = 1",
        "CREATE INDEX mensajes_supervisados ON mensajes (supervisado) WHERE supervisado = 1",
        # Private messages of admins. (`supervisado`, one byte, is in the index so that queries need only the index.)
        "CREATE INDEX mensajes_privados ON mensajes (para, de, supervisado) WHERE supervisado = 0",
        # The conversations of all admins (`lector` is empty) and of each admin. `ultimo`: the last id. See summary.py.
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
        # Keys that are made once for each file. They need no more protection than the messages in it.
        "CREATE TABLE secretos (nombre TEXT PRIMARY KEY, valor BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        # See pruning.py.
        ASTRAY_INDEX,
        LIST_TRIGGER,
        # `fecha`: the last time at which the file was in use, by a trusted clock. See vouched.py.
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
    """Apply the missing steps in one transaction: all of them or none.

    If no step is missing, user_version is written and rolled back, to detect a file that is read-only or locked. (BEGIN
    IMMEDIATE succeeds on a read-only file.) Raises ConfigError for the file of a newer chatd or of another program, and
    sqlite3.Error.
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
        await connection.execute_fetchall(f"PRAGMA user_version = {len(migrations)}")  # a PRAGMA takes no parameters
        await connection.execute_fetchall("COMMIT" if version < len(migrations) else "ROLLBACK")
    except BaseException:
        await connection.rollback()
        raise


async def _number(connection: aiosqlite.Connection, sql: str) -> int:
    for row in await connection.execute_fetchall(sql):
        return int(row[0])
    raise AssertionError(sql)
