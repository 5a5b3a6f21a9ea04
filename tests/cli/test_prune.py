from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.cli import EXIT_USAGE
from chatd.cli.progress import Progress
from chatd.cli.prune import count, moment_ms, prune
from chatd.store.pruning import ROWS_PER_STEP
from chatd.store.schema import MIGRATIONS
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import DAY_MS, START_MS, conversations, list_conversations, message, rows, store
from tests.durability.senders import Book, Sender


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


def days(db: Path) -> list[int]:
    """The days that have messages."""
    return [(int(str(row[4])) - START_MS) // DAY_MS for row in rows(db)]


def test_older_messages_are_deleted_and_the_rest_is_kept(db: Path) -> None:
    store(db, map(message, range(10)))
    before = rows(db)
    dry = chatd("prune", "--before", "2026-01-05", "--dry-run", "--db", db)
    assert dry.stdout == "4 messages are from before 2026-01-05 00:00:00 UTC\n"
    assert rows(db) == before
    done = chatd("prune", "--before", "2026-01-05", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "4 messages from before 2026-01-05 00:00:00 UTC are deleted\n"
    assert rows(db) == before[4:]
    assert chatd("prune", "--before", "2026-01-05", "--db", db).stdout.startswith("0 messages")


def test_every_old_message_is_deleted_in_many_steps(db: Path) -> None:
    old = [message(0, id=message(0).id + number, cid=None) for number in range(3 * ROWS_PER_STEP + 7)]
    store(db, [*old, message(9)])
    assert chatd("prune", "--before", "2026-01-02", "--db", db).stdout.startswith(f"{len(old)} messages")
    assert days(db) == [9]


def test_the_newest_message_is_kept_because_the_next_id_must_be_greater(db: Path) -> None:
    """C-18"""
    store(db, map(message, range(3)))
    assert chatd("prune", "--before", "2026-06-01", "--db", db).stdout.startswith("2 messages")
    assert days(db) == [2]


def test_a_message_with_a_new_date_is_kept_whatever_its_id(db: Path) -> None:
    store(db, [message(0), message(1, fecha=message(9).fecha), message(2), message(9)])
    chatd("prune", "--before", "2026-01-05", "--db", db)
    assert days(db) == [9, 9]


def test_a_message_with_an_old_date_is_deleted_whatever_its_id(db: Path) -> None:
    """C-59: messages written while the clock was ahead, and an imported line with an invented id."""
    ahead = int(message(500).id)
    store(db, [message(3, id=ahead), message(4, id=ahead + 1), message(0, id=2**63 - 2), message(9, id=2**63 - 1)])
    dry = chatd("prune", "--before", "2026-01-05", "--dry-run", "--db", db)
    assert dry.stdout.startswith("2 messages are from before")
    assert chatd("prune", "--before", "2026-01-05", "--db", db).stdout.startswith("2 messages")
    assert days(db) == [4, 9]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(-300, 600)), min_size=1), st.integers(1, 20))
def test_a_dry_run_counts_what_is_deleted(written: list[tuple[int, int | None]], before: int) -> None:
    """C-59"""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in itertools.chain.from_iterable(MIGRATIONS):
            connection.execute(statement)
        expected = {}
        for number, (day, astray) in enumerate(written):
            id_day = day if astray is None else max(day + astray, -300)
            expected[message(id_day).id + number] = message(day).fecha
        insert = "INSERT INTO mensajes VALUES (?, 'ana', 'root', 'hola', ?, 1, NULL)"
        connection.executemany(insert, expected.items())
        limit = message(before).fecha
        old = {one for one, fecha in expected.items() if fecha < limit and one != max(expected)}
        assert count(connection, limit) == len(old)
        with Progress("deleting") as bar:
            assert prune(connection, limit, bar) == len(old)
        assert {one for (one,) in connection.execute("SELECT id FROM mensajes")} == expected.keys() - old


def test_deleted_texts_are_not_in_the_file(db: Path) -> None:
    store(db, [message(0, mensaje="a very private word"), message(9)])
    assert b"a very private word" in db.read_bytes()
    chatd("prune", "--before", "2026-01-05", "--db", db)
    assert b"a very private word" not in db.read_bytes()


def test_a_conversation_without_messages_is_removed_from_the_lists(db: Path) -> None:
    store(db, [message(0, de="eva"), message(1), message(9)])
    list_conversations(db, {"eva": message(0).id, "ana": message(9).id})
    chatd("prune", "--before", "2026-01-05", "--db", db)
    assert conversations(db) == ["ana"]


async def test_a_daemon_serves_during_a_prune(db: Path) -> None:
    """C-15: no message is refused."""
    old = [message(0, id=message(0).id + number, cid=None) for number in range(20 * ROWS_PER_STEP)]
    await asyncio.to_thread(store, db, old)
    book = Book()
    senders = [Sender(f"user-{number}", book) for number in range(4)]
    async with daemon(db) as running:
        writing = [asyncio.create_task(sender.run(running.enter)) for sender in senders]
        await book.more_acknowledged(100)
        done = await asyncio.to_thread(chatd, "prune", "--before", "2026-01-02", "--db", db)
        assert done.stdout.startswith(f"{len(old)} messages"), done
        await book.more_acknowledged(100)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        assert running.faults == []
    assert set(book.refused) == set()
    assert set(book.acknowledged) <= {str(row[3]) for row in rows(db)} <= book.sent


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-01", START_MS),
        ("2026-01-01T00:00:00Z", START_MS),
        ("2026-01-01T01:00:00+01:00", START_MS),
        ("2026-01-02T00:00", START_MS + DAY_MS),
    ],
)
def test_a_date_without_an_offset_is_utc(text: str, ms: int) -> None:
    assert moment_ms(text) == ms


def test_an_age_counts_from_now() -> None:
    before = time.time() * 1000
    assert before - 90 * DAY_MS <= moment_ms("90d") + 1 <= time.time() * 1000 - 90 * DAY_MS + 2


@pytest.mark.parametrize("text", ["", "yesterday", "0d", "-1d", "1.5d", "2026-13-01", "90"])
def test_an_invalid_date_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        moment_ms(text)
    assert "--before" in complaint(chatd("prune", f"--before={text}"), EXIT_USAGE)


OUT_OF_RANGE = ["2999-01-01", "999999d", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31"]


@pytest.mark.parametrize("text", OUT_OF_RANGE)
def test_a_date_out_of_range_is_refused(text: str, db: Path) -> None:
    store(db, map(message, range(3)))
    for flags in ([], ["--dry-run"]):
        said = complaint(chatd("prune", "--before", text, *flags, "--db", db), EXIT_USAGE)
        assert f"--before: {text!r} is before 1970 or after 2094" in said
    assert days(db) == [0, 1, 2]


@pytest.mark.parametrize(("text", "left"), [("1970-01-01", 3), ("2094-09-07T15:47:35Z", 1)])
def test_the_first_and_the_last_date_are_accepted(text: str, left: int, db: Path) -> None:
    store(db, map(message, range(3)))
    assert chatd("prune", "--before", text, "--db", db).returncode == 0
    assert len(days(db)) == left
