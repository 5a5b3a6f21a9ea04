"""The write queue, with a table that fails on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from sys import getsizeof

import pytest

from chatd.store.base import Message, StoreCode, StoreError
from chatd.store.writer import MAX_BATCH_ROWS, GroupCommit
from tests.store.rig import message


class Table:
    """Stores batches without poisoned rows while its gate is open; records the size of each attempt."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.attempts: list[int] = []
        self.poisoned: set[int] = set()
        self.fault: Exception | None = None
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def insert(self, batch: Sequence[Message]) -> None:
        self.attempts.append(len(batch))
        fault = self.fault
        self.began.set()
        await self.gate.wait()
        if fault is not None:
            raise fault
        numbers = [row.id for row in batch]
        if self.poisoned.intersection(numbers):
            raise StoreError(StoreCode.REJECTED, "poisoned", retry=False)
        self.rows += numbers


@contextlib.asynccontextmanager
async def started(
    table: Table, *, max_rows: int = 10_000, max_bytes: int = 10_000_000, delay_s: float = 0.0
) -> AsyncIterator[GroupCommit[Message]]:
    writer = GroupCommit(
        "messages",
        table.insert,
        lambda row: getsizeof(row.mensaje) + getsizeof(row.para),
        max_rows=max_rows,
        max_bytes=max_bytes,
        delay_s=delay_s,
    )
    writer.start()
    yield writer
    await writer.close()


def ignore(error: StoreError | None) -> None:
    """A callback that ignores the answer."""


async def test_a_queue_longer_than_a_batch_is_written_in_several() -> None:
    table = Table()
    async with started(table) as writer:
        for number in range(2 * MAX_BATCH_ROWS + 1):
            writer.put(message(number), ignore)
        await writer.flushed()
    assert table.attempts == [MAX_BATCH_ROWS, MAX_BATCH_ROWS, 1]
    assert table.rows == list(range(2 * MAX_BATCH_ROWS + 1))


async def test_batches_of_long_rows_have_few_rows() -> None:
    table = Table()
    async with started(table) as writer:
        for number in range(10):
            writer.put(message(number, "x" * (2_000_000 if number == 4 else 300_000)), ignore)
        await writer.flushed()
    assert table.attempts == [3, 1, 1, 3, 2]
    assert table.rows == list(range(10))


async def test_a_fault_of_the_database_fails_all_queued_rows_at_once() -> None:
    """Else a locked database would delay each batch by a busy timeout."""
    table = Table()
    table.fault = StoreError(StoreCode.FULL, "full", retry=True)
    failed: list[StoreError | None] = []
    async with started(table) as writer:
        for number in range(5 * MAX_BATCH_ROWS):
            writer.put(message(number), failed.append)
        await writer.flushed()
        assert table.attempts == [MAX_BATCH_ROWS]
        assert failed == [table.fault] * 5 * MAX_BATCH_ROWS


async def test_rows_that_arrive_during_a_failing_commit_are_tried() -> None:
    table, answers = Table(), list[StoreError | None]()
    table.fault = StoreError(StoreCode.FULL, "full", retry=True)
    table.gate.clear()
    async with started(table) as writer:
        writer.put(message(1), answers.append)
        await table.began.wait()
        writer.put(message(2), answers.append)
        failed, table.fault = table.fault, None
        table.gate.set()
        await writer.flushed()
    assert answers == [failed, None]
    assert table.rows == [2]


async def test_poisoned_rows_are_found_by_bisection() -> None:
    table = Table()
    table.poisoned = {0, 500, 1023}
    async with started(table) as writer:
        for number in range(1024):
            writer.put(message(number), ignore)
        await writer.flushed()
        assert table.rows == [number for number in range(1024) if number not in table.poisoned]
        assert len(table.attempts) < 70
        assert (writer.counters.rows, writer.counters.failures) == (1021, 3)


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), MemoryError(), ValueError("no active connection")])
async def test_no_exception_ends_the_writer(fault: Exception) -> None:
    table, answers = Table(), list[StoreError | None]()
    async with started(table) as writer:
        table.fault = fault
        writer.put(message(1), answers.append)
        await writer.flushed()
        table.fault = None
        writer.put(message(2), answers.append)
        await writer.flushed()
    assert [error and error.code for error in answers] == [StoreCode.UNAVAILABLE, None]
    assert table.rows == [2]


async def test_a_callback_that_raises_does_not_affect_others(caplog: pytest.LogCaptureFixture) -> None:
    table, answers = Table(), list[StoreError | None]()

    def broken(error: StoreError | None) -> None:
        raise RuntimeError("a bug")

    async with started(table) as writer:
        writer.put(message(1), broken)
        writer.put(message(2), answers.append)
        await writer.flushed()
    assert answers == [None]
    assert "a callback of the store raised" in caplog.text


async def test_a_callback_may_put_the_next_row() -> None:
    table = Table()
    async with started(table, max_rows=1) as writer:
        writer.put(message(1), lambda error: writer.put(message(2), ignore))
        await writer.flushed()
        await writer.flushed()
        assert table.rows == [1, 2]


async def test_bytes_are_limited_but_a_single_row_of_any_size_is_accepted() -> None:
    async with started(Table(), max_bytes=1_000) as writer:
        for _ in range(2):
            writer.put(message(1, "x" * 5_000), ignore)
            with pytest.raises(StoreError) as refused:
                writer.put(message(2, "x"), ignore)
            assert refused.value.code is StoreCode.BUSY
            await writer.flushed()
        for number in range(3):
            writer.put(message(number, "x" * 200), ignore)
        with pytest.raises(StoreError):
            writer.put(message(3, "x" * 200), ignore)
        assert writer.counters.refused == 3


async def test_flushed_waits_only_for_earlier_rows() -> None:
    table = Table()

    def close_the_gate(error: StoreError | None) -> None:
        table.gate.clear()
        writer.put(message(2), ignore)

    async with started(table) as writer:
        table.gate.clear()
        writer.put(message(1), close_the_gate)
        impatient = asyncio.create_task(writer.flushed())
        patient = asyncio.create_task(writer.flushed())
        await table.began.wait()
        impatient.cancel()
        table.gate.set()
        await patient
        assert table.rows == [1]
        assert impatient.cancelled()
        table.gate.set()
        await writer.flushed()
        assert table.rows == [1, 2]


FOR_EVER_S = 3_600.0


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("end", ["a row that somebody waits for", "a flush", "the stop"])
async def test_rows_without_a_waiting_sender_share_a_later_commit(end: str) -> None:
    """C-67"""
    table = Table()
    async with started(table, delay_s=FOR_EVER_S) as writer:
        for number in range(3):
            writer.put(message(number), ignore, patient=True)
            await turns()
        assert table.attempts == []
        if end == "a row that somebody waits for":
            stored = asyncio.Event()
            writer.put(message(3), lambda _: stored.set())
            await stored.wait()
        elif end == "a flush":
            await writer.flushed()
    assert table.attempts == [4 if end == "a row that somebody waits for" else 3]


async def test_a_row_with_a_waiting_sender_is_committed_at_once() -> None:
    """C-67: also if it arrives during a commit"""
    table = Table()
    async with started(table, delay_s=FOR_EVER_S) as writer:
        table.gate.clear()
        writer.put(message(0), ignore)
        await table.began.wait()
        writer.put(message(1), ignore, patient=True)
        writer.put(message(2), ignore)
        writer.put(message(3), ignore, patient=True)
        table.gate.set()
        await writer.flushed()
        writer.put(message(4), ignore, patient=True)
        await turns()
        assert table.attempts == [1, 3]


async def test_a_half_full_queue_is_committed_at_once() -> None:
    """C-67: so that the delay never causes a refusal"""
    table = Table()
    async with started(table, delay_s=FOR_EVER_S, max_rows=10) as writer:
        for number in range(5):
            writer.put(message(number), ignore, patient=True)
        await table.began.wait()
        assert table.attempts == [5]


async def test_a_commit_is_delayed_until_the_first_row_has_the_maximal_age() -> None:
    """C-67"""
    table = Table()
    async with started(table, delay_s=0.01) as writer:
        writer.put(message(0), ignore, patient=True)
        writer.put(message(1), ignore, patient=True)
        await table.began.wait()
        assert table.attempts == [2]
