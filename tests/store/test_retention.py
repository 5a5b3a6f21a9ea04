from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from chatd.chat.ids import first_id_of
from chatd.store.base import Message, MessageId, StoreError
from chatd.store.pruning import ROWS_PER_STEP
from chatd.store.retention import DAY_MS, Retention
from chatd.store.sqlite import SqliteStore
from tests.chat.daemon import daemon
from tests.cli.stored import START_MS, conversations, list_conversations, message, rows, store
from tests.durability.senders import Book, Sender
from tests.store.rig import opened

TENTH_DAY_MS = START_MS + 10 * DAY_MS


class Watched:
    """The step of a store, and when there was nothing more to delete."""

    def __init__(self, opened: SqliteStore) -> None:
        self._store = opened
        self.steps = 0
        self._ended = asyncio.Event()

    async def step(self, above: MessageId, bound: MessageId, before_ms: int) -> tuple[MessageId, int] | None:
        self.steps += 1
        done = None
        try:
            done = await self._store.prune(above, bound, before_ms)
        finally:
            if done is None:
                self._ended.set()
        return done

    async def sweep(self) -> None:
        """Wait for the end of one."""
        async with asyncio.timeout(20):
            await self._ended.wait()
        self._ended.clear()


@contextlib.asynccontextmanager
async def retaining(db: Path, days: float) -> AsyncIterator[tuple[Retention, Watched]]:
    """On the tenth day."""
    async with opened(db, busy_timeout_s=0.05) as running:
        watched = Watched(running)
        retention = Retention(watched.step, lambda: TENTH_DAY_MS, first_id_of, days)
        retention.start()
        try:
            yield retention, watched
        finally:
            await retention.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


async def fill(db: Path, messages: Iterable[Message]) -> None:
    await asyncio.to_thread(store, db, messages)


def days(db: Path) -> list[int]:
    return [(int(str(row[4])) - START_MS) // DAY_MS for row in rows(db)]


async def test_what_is_older_than_so_many_days_is_deleted_at_the_start(db: Path) -> None:
    await fill(db, map(message, range(10)))
    async with retaining(db, 3.0) as (_, watched):
        await watched.sweep()
    assert days(db) == [7, 8, 9]


async def test_another_age_is_taken_at_once_and_none_means_for_ever(db: Path) -> None:
    """C-27"""
    await fill(db, map(message, range(10)))
    async with retaining(db, 0.0) as (retention, watched):
        retention.use(5.0)
        await watched.sweep()
        assert days(db) == [5, 6, 7, 8, 9]
        retention.use(5.0)
        retention.use(0.0)
        retention.use(2.0)
        await watched.sweep()
        assert days(db) == [8, 9]


async def test_many_are_deleted_in_small_steps_and_the_newest_stays(db: Path) -> None:
    """C-18"""
    await fill(db, [message(0, id=message(0).id + number, cid=None) for number in range(3 * ROWS_PER_STEP)])
    async with retaining(db, 1.0) as (_, watched):
        await watched.sweep()
        assert watched.steps == 4
    assert days(db) == [0]


async def test_a_conversation_without_messages_is_on_no_list(db: Path) -> None:
    await fill(db, [message(0, de="eva"), message(1), message(9)])
    list_conversations(db, {"eva": message(0).id, "ana": message(9).id})
    async with retaining(db, 5.0) as (_, watched):
        await watched.sweep()
    assert conversations(db) == ["ana"]


async def test_trouble_with_the_database_is_told_and_ends_nothing(db: Path, caplog: pytest.LogCaptureFixture) -> None:
    await fill(db, map(message, range(10)))
    async with retaining(db, 0.0) as (retention, watched):
        with contextlib.closing(sqlite3.connect(db)) as other:
            other.execute("BEGIN IMMEDIATE")
            retention.use(3.0)
            await watched.sweep()
        assert len(days(db)) == 10
        retention.use(4.0)
        await watched.sweep()
    assert days(db) == [6, 7, 8, 9]
    assert "old messages could not be deleted" in [record.getMessage() for record in caplog.records]


async def test_a_store_that_is_closed_deletes_nothing(db: Path) -> None:
    async with opened(db) as running:
        pass
    with pytest.raises(StoreError):
        await running.prune(MessageId(0), MessageId(1), 0)


async def test_a_daemon_under_load_obeys_and_refuses_nobody(db: Path, tmp_path: Path) -> None:
    """C-15, C-27"""
    old = [message(0, id=message(0).id + number, cid=None) for number in range(8 * ROWS_PER_STEP)]
    await fill(db, old)
    path = tmp_path / "chatd.toml"
    path.write_text("")
    book = Book()
    senders = [Sender(f"user-{number}", book) for number in range(4)]
    async with daemon(db, "--config", path) as running:
        writing = [asyncio.create_task(sender.run(running.enter)) for sender in senders]
        await book.more_acknowledged(100)
        assert len(rows(db)) > len(old)
        age_days = (time.time() * 1000 - START_MS) / DAY_MS
        path.write_text(f"[store]\nretention = {age_days - 1:.3f}\n")
        running.process.send_signal(signal.SIGHUP)
        assert (await running.logged("old messages deleted"))["messages"] == len(old)
        await book.more_acknowledged(100)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        running.terminate()
        assert await running.ended() == 0
        assert running.faults == []
    assert set(book.refused) == set()
    assert set(book.acknowledged) <= {str(row[3]) for row in rows(db)} <= book.sent
