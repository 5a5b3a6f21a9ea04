"""`chatd clock`: shows the clock and the vouched time of the database, or confirms that the clock is right.

While the clock is far ahead of the database, retention deletes nothing: see store/vouched.py.
"""

from __future__ import annotations

import argparse
import datetime
import time
from typing import Final, NamedTuple

from chatd.cli.database import Database, add_database, configured, reading, require_newest, writing
from chatd.store.vouched import DAY_MS, TRUST, VOUCHED

_LAST_MS: Final = 253_402_300_799_000  # 9999-12-31T23:59:59Z


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust",
        action="store_true",
        help="confirm that the clock is right now, even if it is far ahead; messages that are old by it may be deleted",
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    if not args.trust:
        with reading(config) as connection:
            require_newest(connection)
            print(clock_of(connection))
        return 0
    with writing(config) as connection:
        require_newest(connection)
        now_ms = _now_ms()
        connection.execute(TRUST, (now_ms,))
    print(f"{_shown(now_ms)} is taken for the time; a running daemon hears of it within a minute")
    return 0


class ClockState(NamedTuple):
    """Both times in milliseconds since 1970. `vouched_ms` is None for a database without any data."""

    now_ms: int
    vouched_ms: int | None

    @property
    def ahead_ms(self) -> int:
        """Milliseconds that the clock is ahead of the database; negative: behind."""
        return 0 if self.vouched_ms is None else self.now_ms - self.vouched_ms

    def __str__(self) -> str:
        if self.vouched_ms is None:
            return f"the clock says {_shown(self.now_ms)}; the database knows of no time yet"
        days = self.ahead_ms / DAY_MS
        return (
            f"the clock says {_shown(self.now_ms)}, {abs(days):.1f} days {'ahead of' if days >= 0 else 'behind'} what "
            f"the database knows: {_shown(self.vouched_ms)}"
        )


def clock_of(connection: Database) -> ClockState:
    """The clock and the vouched time of a database of this version. Raises what the database raises."""
    row = connection.execute(VOUCHED).fetchone()
    return ClockState(_now_ms(), None if row is None else int(row[0]))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _shown(ms: int) -> str:
    """A time as text; limited to the greatest date, because an imported `fecha` may be beyond it."""
    return f"{datetime.datetime.fromtimestamp(min(ms, _LAST_MS) / 1000, datetime.UTC):%Y-%m-%d %H:%M} UTC"
