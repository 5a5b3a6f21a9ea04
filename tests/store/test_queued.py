"""The contract of every store: rows are stored unchanged, and their senders are answered in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatd.store.base import Message, MessageId, Store, StoreCode, StoreError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from tests.store.rig import Answers, Base, message, rows, store_on

ODD = ["\0", "a\0b", "'; DROP TABLE mensajes; --", "\ud7ff\ue000", "😀", "\ufeff", "\r\n", "x" * 1_000_000, "?1", "%s"]


async def test_an_acknowledged_row_is_in_the_database(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:
        answers.put(store, message(7))
        assert answers.seen == []
        await store.flushed()
        assert answers.stored == [7]
        assert rows(base) == [message(7)]
        assert store.waiting == 0


async def test_the_greatest_id_is_read_at_the_next_start(base: Base) -> None:
    config = StoreConfig(db=str(base))
    greatest: list[MessageId | None] = []
    for numbers in ((5, 2**62, 9), (3,), (2**63 - 1,), ()):
        store: Store = make_store(config)
        greatest.append(await store.open())
        for number in numbers:
            store.put(message(number), lambda error: None)
        await store.close()
    assert greatest == [None, 2**62, 2**62, 2**63 - 1]


@pytest.mark.parametrize("count", [1, 2, 3, 1023, 1024, 1025, 5000])
async def test_a_burst_of_any_length_is_stored_whole_and_answered_in_order(base: Base, count: int) -> None:
    answers = Answers()
    burst = [message(number) for number in range(count, 0, -1)]
    async with store_on(base) as store:
        for row in burst:
            answers.put(store, row)
        await store.flushed()
        assert answers.seen == [(row.id, None) for row in burst]
        assert store.counters.rows == count
        assert store.counters.batches == -(-count // 1024)
    assert rows(base) == burst[::-1]


async def test_rows_that_arrive_during_a_commit_go_into_the_next_one(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:
        answers.put(store, message(1))
        await asyncio.sleep(0)  # the writer takes its batch
        for number in range(2, 500):
            answers.put(store, message(number))
        await store.flushed()
        assert store.counters.batches == 2
        assert answers.stored == list(range(1, 500))


@pytest.mark.parametrize("text", ODD)
async def test_odd_texts_come_back_as_they_were(base: Base, text: str) -> None:
    answers, row = Answers(), message(1, text, de=text[:128], para=text[:128])
    async with store_on(base) as store:
        answers.put(store, row)
    assert answers.seen == [(1, None)]
    assert rows(base) == [row]


@pytest.mark.parametrize(
    "poisoned",
    [message(600, "\ud800"), message(2**63), message(1, "the id is taken"), message(600, de="\udfff")],
)
async def test_a_row_that_cannot_be_stored_fails_alone(base: Base, poisoned: Message) -> None:
    answers = Answers()
    honest = [message(number) for number in range(1, 1001) if number != 600]
    async with store_on(base) as store:
        for row in [*honest[:599], poisoned, *honest[599:]]:
            answers.put(store, row)
        await store.flushed()
        assert answers.failed == {poisoned.id: StoreCode.REJECTED}
        assert [number for number, _ in answers.seen] == [*range(1, 600), poisoned.id, *range(601, 1001)]
        answers.put(store, message(2000))
        await store.flushed()
        assert answers.stored[-1] == 2000
    assert rows(base) == [*honest, message(2000)]


async def test_closing_commits_queued_rows_and_refuses_new_ones(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:
        for number in range(3000):
            answers.put(store, message(number))
        closing = [asyncio.create_task(store.close()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreError) as refused:
            answers.put(store, message(4000))
        assert refused.value.code is StoreCode.UNAVAILABLE
        await asyncio.gather(*closing)
        assert answers.stored == list(range(3000))
    assert len(rows(base)) == 3000
    if isinstance(base, Path):
        assert not base.with_name("chatd.db-wal").exists()


async def test_a_store_that_was_not_opened_refuses_rows(base: Base) -> None:
    store = make_store(StoreConfig(db=str(base)))
    with pytest.raises(StoreError, match="closed"):
        store.put(message(1), lambda error: None)
    await store.flushed()
    await store.close()


async def test_queued_rows_are_answered_if_the_loop_ends_without_close(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:
        answers.put(store, message(1))
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await store.flushed()
        assert answers.failed == {1: StoreCode.UNAVAILABLE}
        with pytest.raises(StoreError):
            answers.put(store, message(2))
