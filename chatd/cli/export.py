"""`chatd export`: prints every message as a line of JSON, or writes them into a file, also while the daemon runs.

With --all, it exports everything that a daemon cannot rebuild, to move to another database.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import BinaryIO

from chatd.cli import kept
from chatd.cli.database import Database, add_database, configured, reading, require_newest
from chatd.cli.keptrows import all_kept
from chatd.cli.newfile import new_file
from chatd.cli.progress import Progress
from chatd.cli.rows import all_rows, to_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a new file, instead of stdout (-)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--user", metavar="NAME", help="only messages from or to this user")
    which.add_argument(
        "--all",
        action="store_true",
        help="also read marks, notes, claims, names, mail addresses and positions of webhooks, to move the chat",
    )
    parser.add_argument("--jsonl", action="store_true", help="lines of JSON; this is always the format")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    with reading(configured(args)) as connection:
        if args.file is None or str(args.file) == "-":
            _write(connection, sys.stdout.buffer, args)
            return 0
        with new_file(args.file) as draft, draft.open("wb") as out:
            written, others = _write(connection, out, args)
    beside = f", {others} other rows" if args.all else ""
    print(f"{args.file}: {written} messages{beside}", file=sys.stderr)
    return 0


def _write(connection: Database, out: BinaryIO, args: argparse.Namespace) -> tuple[int, int]:
    """Write the export. Returns the number of messages and of other rows."""
    if not args.all:
        return write(connection, out, args.user), 0
    require_newest(connection)
    out.write(kept.HEAD)
    written = write(connection, out)
    others = 0
    for row in all_kept(connection):
        out.write(kept.to_line(row))
        others += 1
    out.flush()
    return written, others


def write(connection: Database, out: BinaryIO, user: str | None = None) -> int:
    """Write the messages. Returns their number. Raises what the database raises, and OSError."""
    written = 0
    with Progress("exporting") as bar:
        for values, share in all_rows(connection, user):
            out.write(to_line(values))
            written += 1
            bar.show(share)
    out.flush()
    return written
