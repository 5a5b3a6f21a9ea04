"""The schema, as a list of migration steps, like chatd/store/schema.py for SQLite. Rule P-07.

A step that was released is never changed. All texts are compared byte by byte (COLLATE "C"), as SQLite does. Numbers
have the types of SQLite as well, `supervisado` is 0 or 1: so both databases understand many statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatd.base.errors import ConfigError
from chatd.store.casehooks import CASE_TABLES, CASE_TRIGGERS_POSTGRES
from chatd.store.hooks import HOOK_TABLES, PRESENCE_TABLES, WAIT_TABLES
from chatd.store.mail import MAIL_TABLES
from chatd.store.marks import GO_BACK
from chatd.store.pruning import ASTRAY_INDEX
from chatd.store.team import TEAM_TABLES
from chatd.store.vouched import CLOCK_TABLE

from .connecting import SCHEMA
from .dialect import in_postgres
from .faults import CID_INDEX

if TYPE_CHECKING:
    from asyncpg import Connection

_READER: Final = "CASE old.supervisado WHEN 1 THEN '' ELSE old.de END"
_CON: Final = "CASE old.supervisado WHEN 1 THEN old.de ELSE old.para END"

# See LIST_TRIGGER in chatd/store/pruning.py.
_MEND_LIST: Final = f"""
    CREATE FUNCTION mensajes_borrados() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        quien text COLLATE "C" := {_READER};
        con_quien text COLLATE "C" := {_CON};
        anterior bigint;
    BEGIN
        IF EXISTS (SELECT 1 FROM conversaciones WHERE lector = quien AND con = con_quien AND ultimo = old.id) THEN
            IF old.supervisado = 1 THEN
                SELECT max(id) INTO anterior FROM mensajes WHERE de = old.de AND supervisado = 1;
            ELSE
                SELECT max(id) INTO anterior FROM mensajes
                WHERE para = old.para AND de = old.de AND supervisado = 0;
            END IF;
            IF anterior IS NULL THEN
                DELETE FROM conversaciones WHERE lector = quien AND con = con_quien;
            ELSE
                UPDATE conversaciones SET ultimo = anterior WHERE lector = quien AND con = con_quien;
            END IF;
        END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608  # only constants are inserted

NODE_OF_ID: Final = "(id >> 12) & 1023"
"""The node that made a message: see chatd/chat/messages/ids.py."""


def node_of(message_id: int) -> int:
    return (message_id >> 12) & 1023


MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE mensajes (
            id bigint PRIMARY KEY,
            de text COLLATE "C" NOT NULL,
            para text COLLATE "C" NOT NULL,
            mensaje text COLLATE "C" NOT NULL,
            fecha bigint NOT NULL,
            supervisado smallint NOT NULL CHECK (supervisado IN (0, 1)),
            cid text COLLATE "C"
        )
        """,
        f"CREATE UNIQUE INDEX {CID_INDEX} ON mensajes (de, cid) WHERE cid IS NOT NULL",
        # Messages sent to a user (supervised or not); written by a user; from one user to another; for every admin;
        # private messages of admins.
        "CREATE INDEX mensajes_para ON mensajes (para, supervisado, id)",
        "CREATE INDEX mensajes_de ON mensajes (de, id) WHERE supervisado = 1",
        "CREATE INDEX mensajes_entre ON mensajes (de, para, id) WHERE supervisado = 1",
        "CREATE INDEX mensajes_supervisados ON mensajes (id) WHERE supervisado = 1",
        "CREATE INDEX mensajes_privados ON mensajes (para, de, id) WHERE supervisado = 0",
        """
        CREATE TABLE conversaciones (
            lector text COLLATE "C" NOT NULL,
            con text COLLATE "C" NOT NULL,
            ultimo bigint NOT NULL,
            PRIMARY KEY (lector, con)
        )
        """,
        "CREATE INDEX conversaciones_ultimo ON conversaciones (lector, ultimo)",
        """
        CREATE TABLE leidos (
            lector text COLLATE "C" NOT NULL,
            con text COLLATE "C" NOT NULL,
            hasta bigint NOT NULL,
            PRIMARY KEY (lector, con)
        )
        """,
        'CREATE TABLE vistos ("user" text COLLATE "C" PRIMARY KEY, fecha bigint NOT NULL)',
        "CREATE TABLE secretos (nombre text PRIMARY KEY, valor bytea NOT NULL)",
        # The trial write for free space (_TRIAL_WRITE in store.py) must not be compressed.
        "ALTER TABLE secretos ALTER COLUMN valor SET STORAGE EXTERNAL",
        ASTRAY_INDEX,
        CLOCK_TABLE.replace("INTEGER", "bigint").removesuffix(" STRICT\n"),
        _MEND_LIST,
        "CREATE TRIGGER mensajes_borrados AFTER DELETE ON mensajes FOR EACH ROW EXECUTE FUNCTION mensajes_borrados()",
    ),
    (
        # `nodo`: the number of a node; `primero`: its first id; `epoca`: the first id of its current process;
        # `reservado`: ids up to this one are reserved.
        """
        CREATE TABLE nodos (
            nodo bigint PRIMARY KEY,
            primero bigint NOT NULL,
            epoca bigint NOT NULL,
            reservado bigint NOT NULL
        )
        """,
        f"CREATE INDEX mensajes_nodo ON mensajes (({NODE_OF_ID}), id)",
    ),
    tuple(in_postgres(statement) for statement in TEAM_TABLES),
    tuple(in_postgres(statement) for statement in HOOK_TABLES),
    (in_postgres(GO_BACK),),
    tuple(in_postgres(statement) for statement in WAIT_TABLES),
    (*(in_postgres(statement) for statement in CASE_TABLES), *CASE_TRIGGERS_POSTGRES),
    tuple(in_postgres(statement) for statement in PRESENCE_TABLES),
    tuple(in_postgres(statement) for statement in MAIL_TABLES),
)

# The number of the lock that lets one migration run at a time.
_LOCK: Final = 0x6368617464  # "chatd"


async def migrate(connection: Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Apply the missing steps in one transaction: all of them or none.

    Raises ConfigError for the schema of a newer chatd or of another program, and what the driver raises.
    """
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if await connection.fetchval("SELECT to_regnamespace($1) IS NULL", SCHEMA):
            await connection.execute(f"CREATE SCHEMA {SCHEMA}")
        version = await version_of(connection)
        if version > len(migrations):
            raise ConfigError(
                f"db: the database was written by a newer chatd (schema {version}, this one knows {len(migrations)}): "
                "start that version, or choose another --db"
            )
        if version == 0:
            await _refuse_foreign_schema(connection)
            await connection.execute("CREATE TABLE esquema (version integer NOT NULL)")
            await connection.execute("INSERT INTO esquema (version) VALUES (0)")
        for step in migrations[version:]:
            for statement in step:
                await connection.execute(statement)
        if version < len(migrations):
            await connection.execute("UPDATE esquema SET version = $1", len(migrations))


async def version_of(connection: Connection) -> int:
    """The number of applied steps; 0 without a schema of chatd."""
    if await connection.fetchval("SELECT to_regclass($1) IS NULL", f"{SCHEMA}.esquema"):
        return 0
    return int(await connection.fetchval("SELECT version FROM esquema"))


async def _refuse_foreign_schema(connection: Connection) -> None:
    if await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = $1", SCHEMA):
        raise ConfigError(f"db: the schema {SCHEMA} of the database belongs to another program: choose another --db")
