"""The minimum of free space, on the real disk: tests change the minimum instead of filling the disk."""

from __future__ import annotations

import os
from pathlib import Path

from chatd.store.base import MessageId, StoreCode, StoreError
from chatd.store.config import StoreConfig
from chatd.store.space import Space
from chatd.store.sqlite import SqliteStore
from tests.store.rig import Answers, message, opened, rows

PIB = 2**50
"""More free space than any disk has."""


async def test_below_the_minimum_only_messages_are_refused_as_by_a_full_disk(tmp_path: Path) -> None:
    """L-14"""
    db, answers, heard = tmp_path / "chatd.db", Answers(), list[StoreError | None]()
    store = SqliteStore(StoreConfig(db=str(db), min_free_bytes=PIB))
    await store.open()
    try:
        answers.put(store, message(1))
        store.mark_read("root", "ana", MessageId(1), heard.append)
        store.saw("ana", 7)
        await store.flushed()
        assert answers.failed == {1: StoreCode.FULL}
        assert heard == [None]
        assert await store.history.rows("SELECT fecha FROM vistos") == [(7,)]
        fault = await store.fault()
        assert fault is not None
        assert "min_free" in fault
    finally:
        await store.close()
    assert rows(db) == []


async def test_a_store_with_free_space_stores_messages_and_reports_the_space(tmp_path: Path) -> None:
    """L-14"""
    db, answers = tmp_path / "chatd.db", Answers()
    store = SqliteStore(StoreConfig(db=str(db), min_free_bytes=1))
    await store.open()
    try:
        free = os.statvfs(tmp_path)
        assert abs(store.free_bytes - free.f_bavail * free.f_frsize) < 2**30  # other programs write to this disk too
        answers.put(store, message(1))
        await store.flushed()
        assert await store.fault() is None
    finally:
        await store.close()
    assert answers.stored == [1]


async def test_free_space_is_read_once_a_second_at_most(tmp_path: Path) -> None:
    """L-14"""
    space, asked = Space(tmp_path / "chatd.db", 0), list[str]()

    async def execute(sql: str, _values: object) -> None:
        asked.append(sql)
        space._look()

    for _ in range(100):
        await space.measure(execute)
    assert len(asked) == 1


def test_messages_are_stored_if_free_space_cannot_be_read(tmp_path: Path) -> None:
    """L-14"""
    space = Space(tmp_path / "absent" / "chatd.db", 1_000)
    assert space._look() == 1_000
    assert space.fault is None


async def test_the_size_of_the_files_is_known_and_grows(tmp_path: Path) -> None:
    """L-14: as of the last reading"""
    db, answers = tmp_path / "chatd.db", Answers()
    async with opened(db) as store:
        for number in range(1, 200):
            answers.put(store, message(number, mensaje="x" * 4_000))
        await store.flushed()
        store._space._asked_at = float("-inf")
        assert await store.fault() is None
        log = db.with_name("chatd.db-wal")
        assert (store.used.database_bytes, store.used.log_bytes) == (db.stat().st_size, log.stat().st_size)
        assert store.used.log_bytes is not None
        assert store.used.log_bytes > 199 * 4_000
