"""`chatd prune --before DATE`: deletes old messages in small steps, between which a running daemon can write."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import re
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from chatd.chat.messages.ids import EPOCH_MS, MAX_MS, first_id_of
from chatd.cli.clock import clock_of
from chatd.cli.database import Database, DataError, add_database, configured, reading, require_newest, writing
from chatd.cli.progress import Progress
from chatd.cli.sizes import free_in, shown
from chatd.store.pruning import AGREED_MS, COUNT, DELETE_ASTRAY, DELETE_STEP, LAST_OF_STEP, ROWS_PER_STEP
from chatd.store.url import is_postgres
from chatd.store.vouched import DAY_MS, allowed_ms

# The pause after each step, as a multiple of the duration of the step.
TURNS: Final = 2.0

# Less free space than this is not reported.
WORTH_BYTES: Final = 1_048_576

_AGE: Final = re.compile(r"([1-9][0-9]{0,5})d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--before",
        required=True,
        type=before,
        metavar="DATE",
        help="older than this: 2026-01-31, 2026-01-31T12:00:00+01:00 (UTC without a zone), or 90d for an age",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print how many would be deleted")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    before_ms, age_ms = args.before
    limit = f"before {datetime.datetime.fromtimestamp(before_ms / 1000, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if args.dry_run:
        with reading(config) as connection:
            require_newest(connection)
            print(f"{count(connection, before_ms)} messages are from {limit}")
        return 0
    with writing(config) as connection, Progress("deleting") as bar:
        require_newest(connection)
        if is_postgres(config.db):
            _take_turn(connection)
        if age_ms is not None:
            _check_clock(connection, age_ms)
        deleted = prune(connection, before_ms, bar)
        free = free_in(connection)
    print(f"{deleted} messages from {limit} are deleted")
    if free >= WORTH_BYTES:
        print(f"the file stays as large: {shown(free)} of it are free for new messages (chatd vacuum gives them back)")
    return 0


def _take_turn(connection: Database) -> None:
    """Take the lock for deletion, which ends with the session. Rule N-14. Raises DataError if it is taken."""
    from chatd.store.postgres.lock import TAKE_SWEEP  # noqa: PLC0415 - not every installation has the driver

    if connection.execute(TAKE_SWEEP).fetchone() != (True,):
        raise DataError("a daemon or another prune is deleting old messages: try again when it has ended")


class Before(NamedTuple):
    """A time in milliseconds since 1970; if it was given as an age, also the age in milliseconds."""

    ms: int
    age_ms: int | None


def before(text: str) -> Before:
    """The time in `text`. Raises ArgumentTypeError."""
    age = _AGE.fullmatch(text)
    return Before(moment_ms(text), int(age[1]) * DAY_MS if age else None)


def moment_ms(text: str) -> int:
    """Milliseconds since 1970 of a date, a time or an age. Raises ArgumentTypeError."""
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


def count(connection: Database, before_ms: int) -> int:
    """The number of messages that `prune` would delete. Raises what the database raises."""
    (found,) = connection.execute(COUNT, (first_id_of(before_ms + AGREED_MS), before_ms)).fetchone()
    return int(found)


def prune(connection: Database, before_ms: int, bar: Progress) -> int:
    """Delete old messages. Returns their number. Raises what the database raises; finished steps stay committed."""
    return _along_ids(connection, before_ms, bar) + _astray(connection, before_ms)


def _along_ids(connection: Database, before_ms: int, bar: Progress) -> int:
    bound = first_id_of(before_ms + AGREED_MS)
    (first,) = connection.execute("SELECT coalesce(min(id), 0) FROM mensajes").fetchone()
    above, deleted = first - 1, 0
    while True:
        with _in_turn():
            (last,) = connection.execute(LAST_OF_STEP, (above, bound, ROWS_PER_STEP)).fetchone()
            if last is None:
                return deleted
            deleted += len(connection.execute(DELETE_STEP, (above, last, before_ms)).fetchall())
        above = last
        bar.show((last - first) / max(bound - first, 1))


def _astray(connection: Database, before_ms: int) -> int:
    deleted, rows = 0, ROWS_PER_STEP
    while rows == ROWS_PER_STEP:
        with _in_turn():
            rows = len(connection.execute(DELETE_ASTRAY, (before_ms, ROWS_PER_STEP)).fetchall())
        deleted += rows
    return deleted


@contextlib.contextmanager
def _in_turn() -> Iterator[None]:
    """Pause after the block, so that the daemon can write: SQLite's lock has no queue, waiting writers only retry."""
    began_s = time.monotonic()
    yield
    time.sleep(TURNS * (time.monotonic() - began_s))


def _check_clock(connection: Database, age_ms: int) -> None:
    """Raises DataError if the clock is in doubt: an age counts from now, so a wrong clock deletes newer messages."""
    ahead_ms = clock_of(connection).ahead_ms
    if ahead_ms > allowed_ms(age_ms):
        raise DataError(
            f"nothing was deleted: the clock is {ahead_ms // DAY_MS} days ahead of what the database knows; see chatd "
            "clock, or give a date"
        )
