"""Rows go in, come out as they were, and their senders hear of it in order."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.errors import ConfigError
from chatd.store.base import Message, MessageId, Store, StoreCode, StoreError
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.store.rig import Answers, locked, message, opened, output, rows

ODD = ["\0", "a\0b", "'; DROP TABLE mensajes; --", "\ud7ff\ue000", "😀", "\ufeff", "\r\n", "x" * 1_000_000, "?1", "%s"]


async def test_an_answered_row_is_in_the_file(tmp_path: Path) -> None:
    db, answers = tmp_path / "chatd.db", Answers()
    async with opened(db) as store:
        answers.put(store, message(7))
        assert answers.seen == []
        await store.flushed()
        assert answers.stored == [7]
        assert rows(db) == [message(7)]
        assert store.waiting == 0


async def test_the_greatest_id_comes_back_at_the_next_start(tmp_path: Path) -> None:
    config = StoreConfig(db=str(tmp_path / "chatd.db"))
    greatest: list[MessageId | None] = []
    for numbers in ((5, 2**62, 9), (3,), (2**63 - 1,), ()):
        store: Store = SqliteStore(config)
        greatest.append(await store.open())
        for number in numbers:
            store.put(message(number), lambda error: None)
        await store.close()
    assert greatest == [None, 2**62, 2**62, 2**63 - 1]


@pytest.mark.parametrize("count", [1, 2, 3, 1023, 1024, 1025, 5000])
async def test_a_burst_of_any_length_is_stored_whole_and_answered_in_order(tmp_path: Path, count: int) -> None:
    db, answers = tmp_path / "chatd.db", Answers()
    burst = [message(number) for number in range(count, 0, -1)]
    async with opened(db) as store:
        for row in burst:
            answers.put(store, row)
        await store.flushed()
        assert answers.seen == [(row.id, None) for row in burst]
        assert store.counters.rows == count
        assert store.counters.batches == -(-count // 1024)
    assert rows(db) == burst[::-1]


async def test_what_arrives_during_a_commit_goes_into_the_next_one(tmp_path: Path) -> None:
    answers = Answers()
    async with opened(tmp_path / "chatd.db") as store:
        answers.put(store, message(1))
        await asyncio.sleep(0)  # the writer takes what there is
        for number in range(2, 500):
            answers.put(store, message(number))
        await store.flushed()
        assert store.counters.batches == 2
        assert answers.stored == list(range(1, 500))


@pytest.mark.parametrize("text", ODD)
async def test_odd_texts_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    db, answers, row = tmp_path / "chatd.db", Answers(), message(1, text, de=text, para=text)
    async with opened(db) as store:
        answers.put(store, row)
    assert answers.seen == [(1, None)]
    assert rows(db) == [row]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text(), st.text(), st.integers(-(2**63), 2**63 - 1), st.booleans())))
def test_any_row_comes_back_as_it_was(values: list[tuple[str, str, str, int, bool]]) -> None:
    burst = [Message(MessageId(number), *value) for number, value in enumerate(values)]

    async def store_all(db: Path) -> None:
        async with opened(db) as store:
            for row in burst:
                store.put(row, lambda error: None)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(store_all(Path(folder, "chatd.db")))
        assert rows(Path(folder, "chatd.db")) == burst


@pytest.mark.parametrize(
    "poisoned",
    [message(600, "\ud800"), message(2**63), message(1, "the id is taken"), message(600, de="\udfff")],
)
async def test_a_row_that_cannot_be_stored_dooms_no_neighbour(tmp_path: Path, poisoned: Message) -> None:
    db, answers = tmp_path / "chatd.db", Answers()
    honest = [message(number) for number in range(1, 1001) if number != 600]
    async with opened(db) as store:
        for row in [*honest[:599], poisoned, *honest[599:]]:
            answers.put(store, row)
        await store.flushed()
        assert answers.failed == {poisoned.id: StoreCode.REJECTED}
        assert [number for number, _ in answers.seen] == [*range(1, 600), poisoned.id, *range(601, 1001)]
        answers.put(store, message(2000))
        await store.flushed()
        assert answers.stored[-1] == 2000
    assert rows(db) == [*honest, message(2000)]


async def test_closing_commits_what_waits_and_refuses_the_rest(tmp_path: Path) -> None:
    db, answers = tmp_path / "chatd.db", Answers()
    async with opened(db) as store:
        for number in range(3000):
            answers.put(store, message(number))
        closing = [asyncio.create_task(store.close()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreError) as refused:
            answers.put(store, message(4000))
        assert refused.value.code is StoreCode.UNAVAILABLE
        await asyncio.gather(*closing)
        assert answers.stored == list(range(3000))
    assert len(rows(db)) == 3000
    assert not db.with_name("chatd.db-wal").exists()


async def test_a_store_that_was_not_opened_takes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(StoreConfig(db=str(tmp_path / "chatd.db")))
    with pytest.raises(StoreError, match="closed"):
        store.put(message(1), lambda error: None)
    await store.flushed()
    await store.close()


async def test_an_end_of_the_loop_without_close_leaves_nobody_without_an_answer(tmp_path: Path) -> None:
    answers = Answers()
    async with opened(tmp_path / "chatd.db") as store:
        answers.put(store, message(1))
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await store.flushed()
        assert answers.failed == {1: StoreCode.UNAVAILABLE}
        with pytest.raises(StoreError):
            answers.put(store, message(2))


@pytest.mark.parametrize(("word", "level"), [("full", 2), ("normal", 1)])
async def test_the_file_is_written_ahead_and_synchronous_as_set(tmp_path: Path, word: str, level: int) -> None:
    store = SqliteStore(StoreConfig(db=str(tmp_path / "chatd.db"), synchronous=word))
    await store.open()
    assert store._connection is not None
    assert list(await store._connection.execute_fetchall("PRAGMA synchronous")) == [(level,)]
    assert list(await store._connection.execute_fetchall("PRAGMA journal_mode")) == [("wal",)]
    await store.close()


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    async with opened(tmp_path / "chatd.db") as store:
        store.put(message(1), lambda error: None)
        await store.flushed()
        assert modes(tmp_path) == dict.fromkeys(["chatd.db", "chatd.db-wal", "chatd.db-shm", "chatd.db.lock"], 0o600)


async def test_a_second_chatd_on_the_same_file_is_refused(tmp_path: Path) -> None:
    db, link = tmp_path / "chatd.db", tmp_path / "other-name.db"
    link.symlink_to(db)
    async with opened(db) as store:
        for name in (db, link):
            [refusal] = await output("tests.store.opener", str(name))
            assert "in use by another chatd" in refusal
            with pytest.raises(ConfigError, match="in use by another chatd"):
                await SqliteStore(StoreConfig(db=str(name))).open()
        store.put(message(1), lambda error: None)
    assert await output("tests.store.opener", str(db)) == ["open 1"]


def _text_file(db: Path) -> None:
    db.write_text("this is no database at all\n" * 100)


def _foreign_database(db: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE recipes (id)")


def _newer_schema(db: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA user_version = 1000")


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        (_text_file, "file is not a database"),
        (_foreign_database, "belongs to another program"),
        (_newer_schema, "written by a newer chatd"),
        (Path.mkdir, "not a regular file"),
    ],
)
async def test_a_file_that_is_not_ours_is_refused_unharmed(tmp_path: Path, prepare: object, complaint: str) -> None:
    db = tmp_path / "chatd.db"
    assert callable(prepare)
    prepare(db)
    before = db.read_bytes() if db.is_file() else b""
    for _ in range(2):  # the lock is given back
        with pytest.raises(ConfigError, match=complaint) as refusal:
            await SqliteStore(StoreConfig(db=str(db))).open()
        assert str(db) in str(refusal.value)
    assert (db.read_bytes() if db.is_file() else b"") == before


async def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        await SqliteStore(StoreConfig(db=str(tmp_path / "no" / "chatd.db"))).open()


async def test_a_file_that_somebody_else_locks_is_refused_at_the_start(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db):
        pass
    with locked(db), pytest.raises(ConfigError, match="locked by another program"):
        await SqliteStore(StoreConfig(db=str(db), busy_timeout_s=0.01)).open()


async def test_a_read_only_file_is_refused_at_the_start() -> None:
    """In a process without root's privileges, in a directory that it can reach."""
    with tempfile.TemporaryDirectory() as folder:
        [first, refusal] = await output("tests.store.read_only", folder)
    assert first == "open None"
    assert "read-only" in refusal
