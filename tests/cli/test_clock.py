"""`chatd clock`, and commands that refuse to run before it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from chatd.store.vouched import DAY_MS, TRUST, VOUCHED
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, rows, store


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chatd.db"
    store(path, map(message, range(10)))
    return path


def used(db: Path, days_ago: float) -> None:
    """Set the last time that the database knows."""
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute(TRUST, (round(time.time() * 1000 - days_ago * DAY_MS),))
        connection.commit()


def vouched(db: Path) -> list[tuple[int]]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return connection.execute(VOUCHED).fetchall()


def test_a_database_without_a_daemon_so_far_knows_no_time(db: Path) -> None:
    assert chatd("clock", "--db", db).stdout.endswith("; the database knows of no time yet\n")


@pytest.mark.parametrize(
    ("days_ago", "said"), [(400, "400.0 days ahead of what the database knows: "), (-30, "30.0 days behind what the ")]
)
def test_both_times_are_shown(db: Path, days_ago: float, said: str) -> None:
    used(db, days_ago)
    before = vouched(db)
    done = chatd("clock", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout
    assert vouched(db) == before


def test_an_age_is_refused_until_the_clock_is_trusted_and_a_date_is_accepted(db: Path) -> None:
    """C-59"""
    used(db, 400)
    told = complaint(chatd("prune", "--before", "20d", "--db", db), EXIT_FAILED)
    assert told == (
        "chatd: nothing was deleted: the clock is 400 days ahead of what the database knows; see chatd clock, or give "
        "a date"
    )
    assert len(rows(db)) == 10
    assert chatd("prune", "--before", "2026-01-03", "--db", db).stdout.startswith("2 messages")
    assert chatd("clock", "--trust", "--db", db).stdout.endswith(
        " is taken for the time; a running daemon hears of it within a minute\n"
    )
    assert abs(vouched(db)[0][0] - time.time() * 1000) < 60_000
    assert chatd("prune", "--before", "20d", "--db", db).stdout.startswith("7 messages")


def test_an_impossible_date_is_shown_as_the_last_possible_one(db: Path) -> None:
    used(db, -(2**53) / DAY_MS / 2)
    assert "9999-12-31 23:59 UTC" in chatd("clock", "--db", db).stdout


@pytest.mark.parametrize(
    "command", [("clock",), ("clock", "--trust"), ("prune", "--before=20d"), ("prune", "--before=20d", "--dry-run")]
)
def test_a_database_of_an_older_schema_must_be_migrated_by_a_daemon(db: Path, command: tuple[str, ...]) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA user_version = 3")
    assert "is of an older chatd (schema 3): start this one" in complaint(chatd(*command, "--db", db), EXIT_CONFIG)
    assert len(rows(db)) == 10


def test_after_an_import_the_known_time_is_that_of_the_newest_message(db: Path, tmp_path: Path) -> None:
    """C-59: a new machine with a wrong clock would take all imported messages for old."""
    file, other = tmp_path / "all.jsonl", tmp_path / "other.db"
    chatd("export", file, "--db", db)
    chatd("import", file, "--db", other)
    assert vouched(other) == [(message(9).fecha,)]
    used(other, 0)
    before = vouched(other)
    chatd("import", file, "--db", other)
    assert vouched(other) == before, "it was there already"
