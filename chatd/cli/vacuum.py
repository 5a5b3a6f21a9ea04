"""`chatd vacuum`: gives the room of deleted messages back to the disk, while no daemon runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from chatd.cli.database import add_database, configured, owning, refuse_postgres
from chatd.cli.sizes import shown

EPILOG: Final = """\
SQLite keeps the pages of deleted messages for new ones, so that prune and retention do not make the file smaller. This
writes it anew: it needs as much free room as the messages take, and no daemon meanwhile.
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
