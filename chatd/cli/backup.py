"""`chatd backup FILE`: a consistent copy of the database, also while the daemon runs.

The copy is one file, with which a daemon can start. In WAL mode the backup does not block the writer; only the
write-ahead log grows until it has finished.
"""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from chatd.cli.database import DataError, add_database, configured, reading_file, refuse_postgres
from chatd.cli.newfile import new_file
from chatd.cli.progress import Progress
from chatd.store.faults import advice, primary_code

PAGES_PER_STEP: Final = 256  # 1 MiB, a few milliseconds

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the new file; it must not exist")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    refuse_postgres(config, "take pg_dump --format=custom --schema=chatd, while the daemon goes on")
    with reading_file(config) as source, new_file(args.file) as draft:
        try:
            messages = copy(source, draft)
        except sqlite3.Error as error:
            if _is_of_source(error):
                raise
            raise DataError(f"cannot write {args.file}: {advice(error)}") from error
    print(f"{args.file}: {messages} messages, {args.file.stat().st_size} bytes")
    return 0


def _is_of_source(error: sqlite3.Error) -> bool:
    """Whether the error is about the database that is read. The copy starts empty, so it cannot be damaged."""
    return primary_code(error) in _DAMAGED or getattr(error, "sqlite_errorcode", None) in _UNREADABLE


def copy(source: sqlite3.Connection, target: Path) -> int:
    """Copy the database into the empty file. Returns the number of messages. Raises sqlite3.Error, DataError."""
    with closing(sqlite3.connect(target, isolation_level=None)) as copied:
        # Open the snapshot here. Without it, a commit between two steps would restart the backup.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with Progress("copying") as bar:
            source.backup(copied, pages=PAGES_PER_STEP, progress=lambda _, left, all: bar.show(1 - left / max(all, 1)))
        source.execute("ROLLBACK")
        copied.execute("PRAGMA journal_mode = DELETE")  # one file, with no log beside it
        (verdict,) = copied.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DataError(f"the copy is damaged, and so may be the database: {' '.join(verdict.split())}")
        (messages,) = copied.execute("SELECT count(*) FROM mensajes").fetchone()
        return int(messages)
