"""`chatd prune --before DATE`: deletes old messages, in small steps, between which a running daemon takes its turn."""

from __future__ import annotations

import argparse
import datetime
import re
import sqlite3
import time
from typing import Final

from chatd.chat.ids import EPOCH_MS, MAX_MS, first_id_of
from chatd.cli.database import add_database, configured, reading, writing
from chatd.cli.progress import Progress
from chatd.store.pruning import DELETE_STEP, FORGET_EMPTY, HAS_LIST, LAST_OF_STEP, ROWS_PER_STEP

# How long others have the file for themselves after a step: so many times what the step took.
TURNS: Final = 2.0

_AGE: Final = re.compile(r"([1-9][0-9]{0,5})d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--before",
        required=True,
        type=moment_ms,
        metavar="DATE",
        help="older than this: 2026-01-31, 2026-01-31T12:00:00+01:00 (UTC without a zone), or 90d for an age",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how many there are")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    limit = f"before {datetime.datetime.fromtimestamp(args.before / 1000, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if args.dry_run:
        with reading(config) as connection:
            print(f"{count(connection, args.before)} messages are from {limit}")
        return 0
    with writing(config) as connection, Progress("deleting") as bar:
        deleted = prune(connection, args.before, bar)
    print(f"{deleted} messages from {limit} are deleted")
    return 0


def moment_ms(text: str) -> int:
    """Milliseconds since 1970 of a date, a time or an age. Raises what argparse reports."""
    ms = _ms(text)
    if not 0 <= ms <= EPOCH_MS + MAX_MS:
        raise argparse.ArgumentTypeError(f"{text!r} is before 1970 or after 2094, where no message can be")
    return ms


def _ms(text: str) -> int:
    if age := _AGE.fullmatch(text):
        return round((time.time() - int(age[1]) * 86_400) * 1000)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-01-31, or 90d for an age") from error
    return round(moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp() * 1000)


def count(connection: sqlite3.Connection, before_ms: int) -> int:
    """How many `prune` would delete. Raises sqlite3.Error."""
    sql = "SELECT count(*) FROM mensajes WHERE id < min(?, (SELECT max(id) FROM mensajes)) AND fecha < ?"
    (found,) = connection.execute(sql, (first_id_of(before_ms), before_ms)).fetchone()
    return int(found)


def prune(connection: sqlite3.Connection, before_ms: int, bar: Progress) -> int:
    """How many it has deleted. Raises sqlite3.Error; what is deleted by then stays so."""
    bound = first_id_of(before_ms)
    (first,) = connection.execute("SELECT coalesce(min(id), 0) FROM mensajes").fetchone()
    above, deleted = first - 1, 0
    while True:
        began_s = time.monotonic()
        (last,) = connection.execute(LAST_OF_STEP, (above, bound, ROWS_PER_STEP)).fetchone()
        if last is None:
            break
        deleted += len(connection.execute(DELETE_STEP, (above, last, before_ms)).fetchall())
        above = last
        bar.show((last - first) / max(bound - first, 1))
        # SQLite has no queue for its lock: whoever tries at the right moment has it.
        time.sleep(TURNS * (time.monotonic() - began_s))
    if connection.execute(HAS_LIST).fetchone() == (1,):
        connection.execute(FORGET_EMPTY, (bound,))
    return deleted
