"""`chatd export`: every message as a line of JSON, on stdout or into a file, while the daemon goes on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import BinaryIO

from chatd.cli.database import Database, add_database, configured, reading
from chatd.cli.newfile import new_file
from chatd.cli.progress import Progress
from chatd.cli.rows import all_rows, to_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a new file, instead of stdout (-)")
    parser.add_argument("--user", metavar="NAME", help="only what this user wrote or was sent")
    parser.add_argument("--jsonl", action="store_true", help="as lines of JSON, which is how it always is")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    with reading(configured(args)) as connection:
        if args.file is None or str(args.file) == "-":
            write(connection, sys.stdout.buffer, args.user)
            return 0
        with new_file(args.file) as draft, draft.open("wb") as out:
            written = write(connection, out, args.user)
    print(f"{args.file}: {written} messages", file=sys.stderr)
    return 0


def write(connection: Database, out: BinaryIO, user: str | None = None) -> int:
    """How many it has written. Raises what the database raises, and OSError."""
    written = 0
    with Progress("exporting") as bar:
        for values, share in all_rows(connection, user):
            out.write(to_line(values))
            written += 1
            bar.show(share)
    out.flush()
    return written
