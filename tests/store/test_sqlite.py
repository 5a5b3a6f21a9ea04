"""The SQLite store: rows are stored unchanged, and files that are not chatd's are refused."""

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

from chatd.base.errors import ConfigError
from chatd.store.base import Message, MessageId
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.store.rig import locked, message, opened, output, rows

ODD = ["\0", "a\0b", "'; DROP TABLE mensajes; --", "\ud7ff\ue000", "😀", "\ufeff", "\r\n", "x" * 1_000_000, "?1", "%s"]


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


@pytest.mark.parametrize(("word", "level"), [("full", 2), ("normal", 1)])
async def test_the_file_has_wal_mode_and_the_configured_synchronous(tmp_path: Path, word: str, level: int) -> None:
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
async def test_a_file_of_another_program_is_refused_and_not_changed(
    tmp_path: Path, prepare: object, complaint: str
) -> None:
    db = tmp_path / "chatd.db"
    assert callable(prepare)
    prepare(db)
    before = db.read_bytes() if db.is_file() else b""
    for _ in range(2):  # the refusal releases the lock
        with pytest.raises(ConfigError, match=complaint) as refusal:
            await SqliteStore(StoreConfig(db=str(db))).open()
        assert str(db) in str(refusal.value)
    assert (db.read_bytes() if db.is_file() else b"") == before


async def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        await SqliteStore(StoreConfig(db=str(tmp_path / "no" / "chatd.db"))).open()


async def test_a_file_locked_by_another_program_is_refused_at_the_start(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db):
        pass
    with locked(db), pytest.raises(ConfigError, match="locked by another program"):
        await SqliteStore(StoreConfig(db=str(db), busy_timeout_s=0.01)).open()


async def test_a_read_only_file_is_refused_at_the_start() -> None:
    """In a process without root's privileges, in a directory that it can access."""
    with tempfile.TemporaryDirectory() as folder:
        [first, refusal] = await output("tests.store.read_only", folder)
    assert first == "open None"
    assert "read-only" in refusal
