"""`chatd import`: messages from lines of JSON into a database that no daemon holds; all of them or none.

The same file twice does no harm: a message whose id is there already is skipped.
"""

# ruff: noqa: N999 - it is called as its verb

from __future__ import annotations

import argparse
import datetime
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import BinaryIO, Final

from chatd.chat.ids import AHEAD_MS, MAX_ID, first_id_of, parts
from chatd.cli.database import DataError, add_database, configured, owning
from chatd.cli.progress import Progress
from chatd.cli.rows import COLUMNS, RowError, from_line
from chatd.store.base import MessageId
from chatd.store.pruning import FORGET_LIST
from chatd.store.vouched import VOUCH_FOR_NEWEST

STDIN: Final = Path("-")

_INSERT: Final = f"INSERT INTO mensajes ({COLUMNS}) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_STORED: Final = f"SELECT {COLUMNS} FROM mensajes WHERE id = ?"  # noqa: S608


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what chatd export has written; - for stdin")
    parser.add_argument(
        "--ids-ahead",
        action="store_true",
        help="take ids that are more than a day ahead of the clock: the ids of all new messages will follow them",
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    with _source(args.file) as lines, owning(configured(args)) as connection:
        name = "stdin" if args.file == STDIN else str(args.file)
        greatest = MAX_ID if args.ids_ahead else first_id_of(round(time.time() * 1000) + AHEAD_MS)
        added, skipped = read(connection, lines, name, greatest)
    print(f"{added} messages imported, {skipped} were there already")
    return 0


def read(connection: sqlite3.Connection, lines: BinaryIO, name: str, greatest: MessageId) -> tuple[int, int]:
    """How many were imported and skipped; an id above `greatest` is refused.

    Raises DataError, and then none was; sqlite3.Error.
    """
    added = number = done_bytes = 0
    size_bytes = os.fstat(lines.fileno()).st_size
    connection.execute("BEGIN IMMEDIATE")
    try:
        (was_empty,) = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM mensajes)").fetchone()
        with Progress("importing") as bar:
            for number, line in enumerate(lines, start=1):
                added += _add(connection, line, f"{name}:{number}", greatest)
                done_bytes += len(line)
                bar.show(done_bytes / size_bytes if size_bytes else 0.0)
        connection.execute(FORGET_LIST)  # it goes on at its greatest id; so the next daemon makes it again
        if was_empty:
            connection.execute(VOUCH_FOR_NEWEST)  # nobody knows by which clock the file was made
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return added, number - added


def _add(connection: sqlite3.Connection, line: bytes, where: str, greatest: MessageId) -> int:
    """1 if the message is new, 0 if it is there already. Raises DataError."""
    try:
        values = from_line(line)
    except RowError as error:
        raise DataError(f"{where}: {error}; nothing was imported") from error
    if values[0] > greatest:
        raise DataError(
            f"{where}: the id {values[0]} is of {_date(values[0])}, ahead of the clock, and the ids of all new "
            "messages would follow it: correct it, or take --ids-ahead; nothing was imported"
        )
    try:
        if connection.execute(_INSERT, values).rowcount == 1:
            return 1
    except sqlite3.IntegrityError as error:
        raise DataError(f"{where}: {values[1]} has another message with that cid; nothing was imported") from error
    if connection.execute(_STORED, values[:1]).fetchone() != values:
        raise DataError(f"{where}: another message has the id {values[0]}; nothing was imported")
    return 0


def _date(number: int) -> str:
    moment = datetime.datetime.fromtimestamp(parts(MessageId(number)).ms / 1000, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _source(path: Path) -> BinaryIO:
    return sys.stdin.buffer if path == STDIN else path.open("rb")
