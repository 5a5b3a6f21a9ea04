"""Checks that the clock is trusted, so that retention deletes old messages."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.cli.checks.database import looking_at
from chatd.cli.checks.finding import Findings
from chatd.cli.clock import ClockState, clock_of
from chatd.cli.database import DataError, reading
from chatd.store.config import StoreConfig
from chatd.store.schema import MIGRATIONS
from chatd.store.vouched import DAY_MS, MAX_AHEAD_MS, allowed_ms


def check_retention(config: StoreConfig, path: Path, findings: Findings) -> None:
    """Add no finding for a database that cannot be read: `check_database` reports that."""
    if not config.retention_days or not path.exists():
        return
    try:
        with looking_at(path) as connection:
            if connection.execute("PRAGMA user_version").fetchone() != (len(MIGRATIONS),):
                return
            clock = clock_of(connection)
    except sqlite3.Error:
        return
    _tell(config, clock, findings)


def check_clock(config: StoreConfig, findings: Findings) -> None:
    """The same check for PostgreSQL."""
    if not config.retention_days:
        return
    with contextlib.suppress(ConfigError, DataError), reading(config) as connection:
        _tell(config, clock_of(connection), findings)


def _tell(config: StoreConfig, clock: ClockState, findings: Findings) -> None:
    if clock.ahead_ms > allowed_ms(round(config.retention_days * DAY_MS)):
        findings.warning("retention", f"old messages are not deleted: {clock}; if it is right: chatd clock --trust")
    elif clock.ahead_ms < -MAX_AHEAD_MS:
        findings.warning("retention", f"{clock}; if that was a clock that was wrong: chatd clock --trust")
    else:
        findings.ok("retention", f"older than {config.retention_days:g} days; the clock is believed")
