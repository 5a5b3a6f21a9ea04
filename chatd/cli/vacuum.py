"""`chatd vacuum`: returns the disk space of deleted messages, while no daemon runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from chatd.cli.database import add_database, configured, owning, refuse_postgres
from chatd.cli.sizes import shown

EPILOG: Final = """\
SQLite reuses the pages of deleted messages for new ones, so prune and retention do not make the file smaller. vacuum
rewrites the file: it needs free disk space for a copy of the messages, and the daemon must be stopped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    refuse_postgres(config, "PostgreSQL does this by itself (autovacuum)")
    path = Path(config.db).resolve()
    with owning(config) as connection:
        before = path.stat().st_size
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    print(f"{path}: {shown(path.stat().st_size)}, before {shown(before)}")
    return 0
