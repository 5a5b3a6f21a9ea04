"""Lookups of single messages: alone, many at once, beside commits, and when the database cannot be read."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.store.base import MAX_CIDS, Found, Message, MessageId, Question, Store, StoreCode, StoredAs, StoreError
from chatd.store.lookup import MAX_BATCH_QUESTIONS, GroupLookup, find_sql, find_values
from tests.store.rig import Answers, Base, locked, message, opened, rows, store_on

ODD = [
    "\0",
    "a\0b",
    '"',
    "\\",
    "'; DROP TABLE mensajes; --",
    "\ud7ff\ue000",
    "😀",
    "\ufeff",
    "\r\n",
    "x" * 64,
    "?1",
    "%s",
]
ABSENT = Found(None, None)


def named(number: int, cid: str, de: str = "ana") -> Message:
    return Message(MessageId(number), de, "berta", "hola", 1_700_000_000_000 + number, True, cid)


async def stored(store: Store, *messages: Message) -> None:
    answers = Answers()
    for row in messages:
        answers.put(store, row)
    await store.flushed()
    assert answers.failed == {}


async def ask(store: Store, *questions: Question) -> list[Found | StoreError]:
    heard: list[Found | StoreError] = []
    for question in questions:
        store.find(question, heard.append)
    assert heard == []
    await store.flushed()
    return heard


def about(de: str, cid: str, *, list_cids: bool = False) -> Question:
    return Question(de, cid, list_cids)


async def test_a_message_is_found_by_its_sender_and_cid(base: Base) -> None:
    async with store_on(base) as store:
        await stored(store, named(1, "a"), named(2, "b"), named(3, "a", de="eva"), message(4))
        assert await ask(store, about("ana", "a"), about("ana", "x"), about("eva", "a"), about("eva", "b")) == [
            Found(StoredAs(MessageId(1), 1_700_000_000_001), None),
            ABSENT,
            Found(StoredAs(MessageId(3), 1_700_000_000_003), None),
            ABSENT,
        ]


async def test_all_cids_of_a_sender_are_listed_if_requested(base: Base) -> None:
    async with store_on(base) as store:
        await stored(store, named(1, "a"), named(2, "b"), named(3, "c", de="eva"), message(4))
        assert await ask(
            store,
            about("ana", "x", list_cids=True),
            about("eva", "c", list_cids=True),
            about("nobody", "x", list_cids=True),
        ) == [
            Found(None, frozenset({"a", "b"})),
            Found(StoredAs(MessageId(3), 1_700_000_000_003), frozenset({"c"})),
            Found(None, frozenset()),
        ]


@pytest.mark.parametrize(("count", "listed"), [(MAX_CIDS, True), (MAX_CIDS + 1, False)])
async def test_the_number_of_listed_cids_is_limited(base: Base, count: int, listed: bool) -> None:
    async with store_on(base) as store:
        await stored(store, *[named(number, f"cid {number}") for number in range(1, count + 1)])
        [answer] = await ask(store, about("ana", "cid 1", list_cids=True))
        assert isinstance(answer, Found)
        assert answer.stored == StoredAs(MessageId(1), 1_700_000_000_001)
        assert answer.cids == ({f"cid {number}" for number in range(1, count + 1)} if listed else None)


@pytest.mark.parametrize("count", [1, 2, 3, MAX_BATCH_QUESTIONS, 2 * MAX_BATCH_QUESTIONS + 1])
async def test_any_number_of_lookups_is_answered_in_order(base: Base, count: int) -> None:
    async with store_on(base) as store:
        await stored(store, *[named(number, str(number)) for number in range(1, count + 1, 2)])
        answers = await ask(store, *[about("ana", str(number)) for number in range(1, count + 1)])
        found = [answer.stored and answer.stored.id for answer in answers if isinstance(answer, Found)]
        assert found == [number if number % 2 else None for number in range(1, count + 1)]


@pytest.mark.parametrize("text", ODD)
async def test_odd_texts_are_found_and_listed(base: Base, text: str) -> None:
    async with store_on(base) as store:
        await stored(store, named(1, text, de=text))
        assert await ask(store, about(text, text, list_cids=True)) == [
            Found(StoredAs(MessageId(1), 1_700_000_000_001), frozenset({text}))
        ]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.tuples(texts, texts), max_size=8), st.lists(st.tuples(texts, texts)))
def test_any_message_is_found_and_no_other(there: set[tuple[str, str]], also: list[tuple[str, str]]) -> None:
    ids = {pair: MessageId(number) for number, pair in enumerate(there, start=1)}
    questions = [Question(de, cid, list_cids=True) for de, cid in [*there, *also]]

    async def go(db: Path) -> list[Found | StoreError]:
        async with opened(db) as store:
            await stored(store, *[named(number, cid, de) for (de, cid), number in ids.items()])
            return await ask(store, *questions)

    with tempfile.TemporaryDirectory() as folder:
        answers = asyncio.run(go(Path(folder, "chatd.db")))
    for (de, cid, _), answer in zip(questions, answers, strict=True):
        assert isinstance(answer, Found)
        assert (answer.stored and answer.stored.id) == ids.get((de, cid))
        assert answer.cids == frozenset(other for sender, other in ids if sender == de)


async def test_an_acknowledged_message_is_found_at_once(base: Base) -> None:
    """Whatever snapshot the reading connection had before."""
    async with store_on(base) as store:

        def look(question: Question, heard: list[Found | StoreError], error: StoreError | None) -> None:
            assert error is None
            store.find(question, heard.append)

        for number in range(1, 50):
            assert await ask(store, about("ana", str(number))) == [ABSENT]
            heard: list[Found | StoreError] = []
            store.put(named(number, str(number)), functools.partial(look, about("ana", str(number)), heard))
            await store.flushed()
            await store.flushed()
            assert heard == [Found(StoredAs(MessageId(number), 1_700_000_000_000 + number), None)]


async def test_a_lookup_does_not_wait_for_a_commit(base: Base) -> None:
    async with store_on(base, busy_timeout_s=60) as store:
        await stored(store, named(1, "a"))
        heard = asyncio.Event()
        with locked(base):
            store.put(named(2, "b"), lambda error: None)
            store.find(about("ana", "a"), lambda found: heard.set())
            await heard.wait()
            assert store.waiting == 1


async def test_a_second_row_with_the_same_cid_is_rejected(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:
        for row in (named(1, "a"), named(2, "a"), named(3, "b"), named(4, "a", de="eva"), message(5), message(6)):
            answers.put(store, row)
        await store.flushed()
        assert answers.failed == {2: StoreCode.REJECTED if isinstance(base, Path) else StoreCode.UNAVAILABLE}
    assert [row.id for row in rows(base)] == [1, 3, 4, 5, 6]


async def test_every_lookup_uses_the_index(tmp_path: Path) -> None:
    async with opened(tmp_path / "chatd.db") as store:
        size, values = find_values([about("ana", "a", list_cids=True)] * 3)
        plan = [row[3] for row in await store._reader.rows("EXPLAIN QUERY PLAN " + find_sql(size), values)]
    assert [line for line in plan if "mensajes" in line] == [
        "SEARCH m USING INDEX mensajes_cid (de=? AND cid=?) LEFT-JOIN",
        "SEARCH mensajes USING COVERING INDEX mensajes_cid (de=? AND cid>?)",
    ]


async def test_the_reading_connection_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path / "chatd.db") as store:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await store._reader.rows("DELETE FROM mensajes")


async def test_a_closed_store_refuses_lookups(base: Base) -> None:
    async with store_on(base) as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        store.find(about("ana", "a"), lambda found: None)


async def test_closing_answers_pending_lookups_and_stores_rows_put_by_their_callbacks(base: Base) -> None:
    answers = Answers()
    async with store_on(base) as store:

        def put(row: Message, found: Found | StoreError) -> None:
            assert found == ABSENT
            answers.put(store, row)

        for number in range(1, 1000):
            row = named(number, str(number))
            store.find(about("ana", str(number)), functools.partial(put, row))
        await store.close()
        assert answers.stored == list(range(1, 1000))
    assert len(rows(base)) == 999


async def test_pending_lookups_are_answered_if_the_loop_ends_without_close(base: Base) -> None:
    heard: list[Found | StoreError] = []
    async with store_on(base) as store:
        store.find(about("ana", "a"), heard.append)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await store.flushed()
        [error] = heard
        assert isinstance(error, StoreError)
        assert error.code is StoreCode.UNAVAILABLE


class Table:
    """Answers while its gate is open; records the size of each batch."""

    def __init__(self) -> None:
        self.attempts: list[int] = []
        self.fault: Exception | None = None
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(self, questions: Sequence[Question]) -> list[Found]:
        self.attempts.append(len(questions))
        fault = self.fault
        self.began.set()
        await self.gate.wait()
        if fault is not None:
            raise fault
        return [Found(StoredAs(MessageId(int(question.cid)), 0), None) for question in questions]


@contextlib.asynccontextmanager
async def started(table: Table) -> AsyncIterator[GroupLookup]:
    lookups = GroupLookup(table.ask)
    lookups.start()
    yield lookups
    await lookups.close()


async def test_lookups_made_during_a_batch_go_into_the_next_one() -> None:
    table, heard = Table(), list[Found | StoreError]()
    table.gate.clear()
    async with started(table) as lookups:
        lookups.find(about("ana", "0"), heard.append)
        await table.began.wait()
        for number in range(1, 300):
            lookups.find(about("ana", str(number)), heard.append)
        assert lookups.waiting == 300
        table.gate.set()
        await lookups.flushed()
    assert table.attempts == [1, MAX_BATCH_QUESTIONS, 299 - MAX_BATCH_QUESTIONS]
    assert [answer.stored.id for answer in heard if isinstance(answer, Found) and answer.stored] == list(range(300))


BROKEN = StoreError(StoreCode.UNAVAILABLE, "broken", retry=True)


@pytest.mark.parametrize("fault", [BROKEN, RuntimeError("a bug"), MemoryError(), ValueError("no active connection")])
async def test_a_batch_that_fails_is_reported_and_the_next_one_is_tried(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    table, heard = Table(), list[Found | StoreError]()
    async with started(table) as lookups:
        for table.fault in (fault, fault, None):
            lookups.find(about("ana", "1"), heard.append)
            lookups.find(about("ana", "2"), heard.append)
            await lookups.flushed()
    assert [isinstance(answer, StoreError) and answer.code for answer in heard] == [StoreCode.UNAVAILABLE] * 4 + [
        False
    ] * 2
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == [
        "messages cannot be looked up",
        "messages are looked up again",
    ]


async def test_a_callback_that_raises_does_not_affect_others(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Found | StoreError] = []

    def broken(found: Found | StoreError) -> None:
        raise RuntimeError("a bug")

    async with started(Table()) as lookups:
        lookups.find(about("ana", "1"), broken)
        lookups.find(about("ana", "2"), heard.append)
        await lookups.flushed()
    assert len(heard) == 1
    assert "a callback of the store raised" in caplog.text


async def test_flushed_waits_only_for_earlier_lookups() -> None:
    table = Table()

    def ask_again(found: Found | StoreError) -> None:
        table.gate.clear()
        lookups.find(about("ana", "2"), lambda found: None)

    async with started(table) as lookups:
        lookups.find(about("ana", "1"), ask_again)
        await lookups.flushed()
        assert lookups.waiting == 1
        table.gate.set()


async def test_a_damaged_database_is_reported(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with opened(db) as store:
        await stored(store, *[named(number, f"{number:064}") for number in range(1, 500)])
        [(page,)] = await store._reader.rows("SELECT rootpage FROM sqlite_master WHERE name = 'mensajes_cid'")
        [(size,)] = await store._reader.rows("PRAGMA page_size")
    with db.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"junk" * (size // 4))
    async with opened(db) as store:
        [answer] = await ask(store, about("ana", f"{250:064}"))
        assert isinstance(answer, StoreError)
        assert (answer.code, answer.retry) == (StoreCode.UNAVAILABLE, False)
        assert answer.message == "the database is damaged"
