"""`chatd import`: messages from lines of JSON into a database that no daemon holds; all of them or none.

The same file twice does no harm: a message whose id is there already is skipped.
"""

# ruff: noqa: N999 - it is called as its verb

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from pathlib import Path
from typing import BinaryIO, Final

from chatd.chat.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS
from chatd.cli.database import DataError, add_database, configured, owning
from chatd.cli.progress import Progress
from chatd.cli.rows import COLUMNS, RowError, from_line
from chatd.store.pruning import FORGET_LIST, HAS_LIST
from chatd.store.retention import DAY_MS

STDIN: Final = Path("-")

SHIFT: Final = NODE_BITS + SEQUENCE_BITS

_INSERT: Final = f"INSERT INTO mensajes ({COLUMNS}) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"  # noqa: S608
# A clock that was wrong for some hours is no cause to say anything.
_AHEAD: Final = "SELECT count(*) FROM mensajes WHERE (id >> ?2) + ?1 > fecha + ?3"
_STORED: Final = f"SELECT {COLUMNS} FROM mensajes WHERE id = ?"  # noqa: S608


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what chatd export has written; - for stdin")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    with _source(args.file) as lines, owning(configured(args)) as connection:
        name = "stdin" if args.file == STDIN else str(args.file)
        added, skipped = read(connection, lines, name)
        ahead = connection.execute(_AHEAD, (EPOCH_MS, SHIFT, DAY_MS)).fetchone()[0]
    print(f"{added} messages imported, {skipped} were there already")
    if ahead:
        print(
            f"chatd: {ahead} messages have ids of later times than their fecha: retention and prune delete them when "
            "those times are past",
            file=sys.stderr,
        )
    return 0


def read(connection: sqlite3.Connection, lines: BinaryIO, name: str) -> tuple[int, int]:
    """How many were imported and skipped. Raises DataError, and then none was; sqlite3.Error."""
    added = number = done_bytes = 0
    size_bytes = os.fstat(lines.fileno()).st_size
    connection.execute("BEGIN IMMEDIATE")
    try:
        with Progress("importing") as bar:
            for number, line in enumerate(lines, start=1):
                added += _add(connection, line, f"{name}:{number}")
                done_bytes += len(line)
                bar.show(done_bytes / size_bytes if size_bytes else 0.0)
        if connection.execute(HAS_LIST).fetchone() == (1,):
            connection.execute(FORGET_LIST)  # it goes on at its greatest id; so the next daemon makes it again
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return added, number - added


def _add(connection: sqlite3.Connection, line: bytes, where: str) -> int:
    """1 if the message is new, 0 if it is there already. Raises DataError."""
    try:
        values = from_line(line)
    except RowError as error:
        raise DataError(f"{where}: {error}; nothing was imported") from error
    try:
        if connection.execute(_INSERT, values).rowcount == 1:
            return 1
    except sqlite3.IntegrityError as error:
        raise DataError(f"{where}: {values[1]} has another message with that cid; nothing was imported") from error
    if connection.execute(_STORED, values[:1]).fetchone() != values:
        raise DataError(f"{where}: another message has the id {values[0]}; nothing was imported")
    return 0


def _source(path: Path) -> BinaryIO:
    return sys.stdin.buffer if path == STDIN else path.open("rb")
