"""A database that is locked, full, read-only or broken for a while: senders get an error, and the store recovers."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from chatd.store.base import StoreCode, StoreError
from tests.store.rig import ROOT, Answers, Base, locked, message, opened, output, rows, store_on


async def test_rows_fail_while_another_program_writes_and_succeed_afterwards(
    base: Base, caplog: pytest.LogCaptureFixture
) -> None:
    answers = Answers()
    async with store_on(base, busy_timeout_s=0.05) as store:
        with locked(base):
            for number in range(3000):
                answers.put(store, message(number))
            await store.flushed()
            assert answers.failed == dict.fromkeys(range(3000), StoreCode.UNAVAILABLE)
            assert {error.retry for _, error in answers.seen if error} == {True}
        answers.put(store, message(3000))
        await store.flushed()
        assert answers.stored == [3000]
        assert (store.counters.rows, store.counters.failures, store.counters.batches) == (1, 3000, 1)
    assert rows(base) == [message(3000)]
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == [
        "messages cannot be stored",
        "messages are stored again",
    ]


async def test_a_lock_that_ends_before_the_busy_timeout_only_delays(base: Base) -> None:
    answers = Answers()
    async with store_on(base, busy_timeout_s=60) as store:
        with locked(base):
            answers.put(store, message(1))
            await asyncio.sleep(0)
            answers.put(store, message(2))
        await store.flushed()
        assert answers.stored == [1, 2]


async def test_a_commit_that_hangs_fills_the_queue_up_to_its_limit(base: Base) -> None:
    answers = Answers()
    async with store_on(base, busy_timeout_s=60, max_waiting_rows=10) as store:
        with locked(base):
            for number in range(10):
                answers.put(store, message(number))
            for _ in range(2):
                with pytest.raises(StoreError) as refused:
                    answers.put(store, message(11))
                assert (refused.value.code, refused.value.retry) == (StoreCode.BUSY, True)
            assert store.waiting == 10
        await store.flushed()
        answers.put(store, message(12))
        await store.flushed()
        assert answers.stored == [*range(10), 12]
        assert store.counters.refused == 2


async def test_a_database_at_its_maximal_size_is_reported_as_full(tmp_path: Path) -> None:
    """SQLite's limit on pages gives the same error as a full disk, on every machine."""
    db, answers = tmp_path / "chatd.db", Answers()
    async with opened(db) as store:
        assert store._connection is not None
        [(pages,)] = await store._connection.execute_fetchall("PRAGMA page_count")
        await store._connection.execute_fetchall(f"PRAGMA max_page_count = {pages}")
        answers.put(store, message(1, "x" * 100_000))
        await store.flushed()
        answers.put(store, message(2))
        await store.flushed()
        assert answers.failed == {1: StoreCode.FULL}
        assert answers.stored == [2]
    assert rows(db) == [message(2)]


async def test_a_read_only_database_is_reported_and_recovers(tmp_path: Path) -> None:
    db, answers = tmp_path / "chatd.db", Answers()
    async with opened(db) as store:
        assert store._connection is not None
        for number, read_only in enumerate((0, 1, 0)):
            await store._connection.execute_fetchall(f"PRAGMA query_only = {read_only}")
            answers.put(store, message(number))
            await store.flushed()
        assert answers.failed == {1: StoreCode.UNAVAILABLE}
        assert answers.stored == [0, 2]


async def test_writes_that_the_kernel_refuses_fail_and_succeed_afterwards(tmp_path: Path) -> None:
    """A child process sets and lifts a limit on file size for itself."""
    [line] = await output("tests.store.file_limit", str(tmp_path / "chatd.db"))
    assert json.loads(line) == {"before": None, "within": "store_unavailable", "after": None}
    assert [row.id for row in rows(tmp_path / "chatd.db")] == [1, 3]


async def test_a_full_disk_is_reported_as_full_and_recovers() -> None:
    """A file system of one megabyte, mounted in the process' own mount namespace."""
    unshare = shutil.which("unshare")
    if unshare is None or not await _mounts(unshare):
        pytest.skip("needs user namespaces (unshare -rm); the codes of a full disk are tested above on any machine")
    process = await asyncio.create_subprocess_exec(
        *(unshare, "-rm", sys.executable, "-m", "tests.store.full_disk"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(printed) == {
        "before": None,
        "full": "store_full",
        "fault when full": "the database cannot be written: the disk is full: make room",
        "fault when there is room": None,
        "still full": "store_full",
        "almost full": "store_full",
        "faults when almost full": [True] * 5,
        "after": None,
        "stored": [1, 4],
    }


async def _mounts(unshare: str) -> bool:
    process = await asyncio.create_subprocess_exec(unshare, "-rm", "mount", "-t", "tmpfs", "none", "/mnt")
    return await process.wait() == 0
