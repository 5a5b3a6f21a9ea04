"""`chatd erase --user NAME`: deletes all data of one user from a database, while no daemon runs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from chatd.cli.database import Database, add_database, configured, forget_words, owning, reading, require_newest
from chatd.store.config import StoreConfig
from chatd.store.url import is_postgres

EPILOG: Final = """\
Deletes: messages from and to the user, also for the other side; read marks; the time last seen; the name and the e-mail
address; the team's case, notes and claims of the user. Stop the daemon first, because it holds some of this in memory.

Does not delete: backups and exports (make new ones, and remove the old ones), what others wrote about the user in other
conversations, notes and replies that the user wrote as an admin, and names in the log. Tokens are valid until they
expire: see --deny-file. PostgreSQL keeps deleted rows in its files until autovacuum has run, and in archives of its
log.
"""

# The user's name as a JSON string.
_QUOTED: Final = """'"' || replace(replace(?1, '\\', '\\\\'), '"', '\\"') || '"'"""


def _names_admin(body: str) -> str:
    """The SQL condition for events of cases (case_changed in chatd/webhooks/events.py) that name the user."""
    fields = (f"""replace({body}, '"{field}":' || {_QUOTED}, '') <> {body}""" for field in CLAIMS)
    return " OR ".join(fields)


CLAIMS: Final = ("atiende", "cerro")

# Table and condition of the rows to delete, by the name that operators see. ?1: the user.
ROWS: Final = {
    "messages": ("mensajes", "de = ?1 OR para = ?1"),
    "entries of lists": ("conversaciones", "lector = ?1 OR con = ?1"),
    "read marks": ("leidos", "lector = ?1 OR con = ?1"),
    "times last seen": ("vistos", '"user" = ?1'),
    "names": ("nombres", "quien = ?1"),
    "e-mail addresses and wishes about mail": ("correos", "quien = ?1"),
    "cases": ("casos", "con = ?1"),
    "notes": ("notas", "con = ?1"),
    "waits of webhooks": ("ganchos_esperas", "con = ?1"),
    "changes of cases for webhooks": ("ganchos_casos", "con = ?1 OR atiende = ?1 OR cerro = ?1"),
    "users whom webhooks were told of": ("ganchos_presentes", "quien = ?1"),
    "events of webhooks that were set aside": ("ganchos_guardados", f"con = ?1 OR {_names_admin('cuerpo')}"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--user", required=True, metavar="NAME", help="the exact name of the user")
    parser.add_argument("--dry-run", action="store_true", help="only print how much would be deleted")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    if args.dry_run:
        with reading(config) as connection:
            require_newest(connection)
            _tell(count(connection, args.user), args.user, "would be deleted", _stays(config))
        return 0
    with owning(config) as connection:
        found = count(connection, args.user)
        erase(connection, args.user)
    _tell(found, args.user, "deleted", _stays(config))
    return 0


def count(connection: Database, user: str) -> dict[str, int]:
    """The number of rows of each kind. Raises what the database raises."""
    found = {}
    for name, (table, rows) in ROWS.items():
        (number,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {rows}", (user,)).fetchone()  # noqa: S608
        found[name] = int(number)
    where = "con <> ?1 AND (" + " OR ".join(f"{column} = ?1" for column in CLAIMS) + ")"
    (claims,) = connection.execute(f"SELECT count(*) FROM casos WHERE {where}", (user,)).fetchone()  # noqa: S608
    return found | {"claims on cases of others": int(claims)}


def erase(connection: Database, user: str) -> None:
    """Delete all rows in one transaction. Raises what the database raises."""
    connection.execute("BEGIN")
    try:
        for table, rows in ROWS.values():
            connection.execute(f"DELETE FROM {table} WHERE {rows}", (user,))  # noqa: S608 - only constants are inserted
        for column in CLAIMS:
            connection.execute(f"UPDATE casos SET {column} = NULL WHERE {column} = ?1", (user,))  # noqa: S608
        forget_words(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _stays(config: StoreConfig) -> str:
    return "deleted rows in PostgreSQL's files until autovacuum, " if is_postgres(config.db) else ""


def _tell(found: Mapping[str, int], user: str, done: str, elsewhere: str) -> None:
    for name, number in found.items():
        if number:
            print(f"{number} {name} {done}")
    if not any(found.values()):
        print(f"there is nothing of {user}")
    else:
        print(f"what stays: {elsewhere}backups, exports, the log, and what others wrote elsewhere (chatd erase --help)")
