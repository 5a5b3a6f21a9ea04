"""Marks move forward only, are there after a restart, and a burst of them is one statement."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from chatd.store.base import MessageId, StoreCode, StoreError
from chatd.store.marks import MAX_MARKS
from tests.store.rig import locked, opened


def ask(db: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return list(connection.execute(sql))


async def test_a_reader_never_goes_back(tmp_path: Path) -> None:
    db, heard = tmp_path / "chatd.db", list[StoreError | None]()
    async with opened(db) as store:
        for burst in ([5, 9, 7], [8], [2**63 - 1, 3]):
            for hasta in burst:
                store.mark_read("root", "ana", MessageId(hasta), heard.append)
            store.mark_read("root", "eva", MessageId(burst[0]), heard.append)
            store.mark_read("ana", "root", MessageId(burst[-1]), heard.append)
            assert len(heard) < 9 + 3
            await store.flushed()
    assert heard == [None] * 12
    assert ask(db, "SELECT * FROM leidos ORDER BY lector, con") == [
        ("ana", "root", 8),
        ("root", "ana", 2**63 - 1),
        ("root", "eva", 2**63 - 1),
    ]


async def test_a_user_was_seen_at_the_latest_instant(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        for instants in ((5, 9, 7), (8,)):
            for fecha in instants:
                store.saw("ana", fecha)
            store.saw("a\0b", instants[0])
            await store.flushed()
    assert ask(db, "SELECT * FROM vistos ORDER BY user") == [("a\0b", 8), ("ana", 9)]


@pytest.mark.parametrize("count", [1, 2, 3, 1_000, 3_000])
async def test_a_burst_of_any_length_is_stored_whole(tmp_path: Path, count: int) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        for number in range(count):
            store.saw(f"u{number:04}", number)
    assert ask(db, "SELECT * FROM vistos ORDER BY user") == [(f"u{number:04}", number) for number in range(count)]


async def test_a_mark_is_refused_when_too_many_wait(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        for number in range(MAX_MARKS):
            store.mark_read("root", "ana", MessageId(number), lambda error: None)
        with pytest.raises(StoreError, match="too many read marks") as refused:
            store.mark_read("root", "ana", MessageId(MAX_MARKS), lambda error: None)
        assert refused.value.code is StoreCode.BUSY
        for number in range(MAX_MARKS + 1):
            store.saw("ana", number)
    assert ask(db, "SELECT hasta FROM leidos") == [(MAX_MARKS - 1,)]
    assert ask(db, "SELECT fecha FROM vistos") == [(MAX_MARKS - 1,)]


async def test_a_mark_that_meets_a_locked_database_is_answered(tmp_path: Path) -> None:
    db, heard = tmp_path / "chatd.db", list[StoreError | None]()
    async with opened(db, busy_timeout_s=0.0) as store:
        with locked(db):
            store.mark_read("root", "ana", MessageId(1), heard.append)
            await store.flushed()
    assert [error and error.code for error in heard] == [StoreCode.UNAVAILABLE]


async def test_the_recovery_key_is_made_once_for_each_file(tmp_path: Path) -> None:
    keys = []
    for name in ("one.db", "one.db", "other.db"):
        async with opened(tmp_path / name) as store:
            keys.append(store.recovery_key)
    assert keys[0] == keys[1] != keys[2]
    assert [len(key) for key in keys] == [32, 32, 32]


async def test_history_reads_what_was_committed_and_names_its_faults(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        store.saw("ana", 7)
        await store.flushed()
        assert await store.history.rows("SELECT fecha FROM vistos WHERE user = ?", ["ana"]) == [(7,)]
        with pytest.raises(StoreError, match="cannot be read"):
            await store.history.rows("INSERT INTO vistos VALUES ('eva', 1)")
