"""missed.py on real databases, compared with a filter in Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.store.base import Message, MessageId
from chatd.store.config import StoreConfig
from chatd.store.missed import Missed, Page, missed_sql, missed_values
from chatd.store.sqlite import SqliteStore
from tests.store.rig import Base, PostgresBase, change, store_on

NAMES: Final = ("ana", "eva", "root")

MESSAGES: Final = st.lists(
    st.builds(
        Message,
        id=st.integers(1, 60).map(MessageId),
        de=st.sampled_from(NAMES),
        para=st.sampled_from(NAMES),
        mensaje=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        fecha=st.integers(0, 2**62),
        supervisado=st.booleans(),
    ),
    unique_by=lambda message: message.id,
    max_size=30,
)
QUESTIONS: Final = st.lists(
    st.builds(
        Missed,
        user=st.sampled_from(NAMES),
        is_admin=st.booleans(),
        after=st.integers(0, 60).map(MessageId),
        upto=st.integers(0, 60).map(MessageId),
    ),
    min_size=1,
    max_size=5,
)


def naive(messages: list[Message], asked: Missed, rows: int, limit: int) -> Page:
    found = [
        message
        for message in sorted(messages, key=lambda message: message.id)
        if asked.after < message.id <= asked.upto
        and (message.para == asked.user or (asked.is_admin and message.supervisado))
    ]
    return Page(found[:rows], beyond=len(found) > limit)


@given(messages=MESSAGES, questions=QUESTIONS, rows=st.integers(1, 8), limit=st.integers(1, 12))
@settings(max_examples=100, deadline=None)
async def test_missed_messages_are_exactly_those_for_the_user(
    messages: list[Message], questions: list[Missed], rows: int, limit: int
) -> None:
    """C-30, C-33"""
    with tempfile.TemporaryDirectory() as folder:
        await check(Path(folder) / "chatd.db", messages, questions, rows, limit)


@given(messages=MESSAGES, questions=QUESTIONS, rows=st.integers(1, 8), limit=st.integers(1, 12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_missed_messages_are_exactly_those_for_the_user_on_postgresql(
    postgres: PostgresBase, messages: list[Message], questions: list[Missed], rows: int, limit: int
) -> None:
    """C-30, C-33"""
    await check(postgres, messages, questions, rows, limit)
    change(postgres, "TRUNCATE mensajes")


async def check(base: Base, messages: list[Message], questions: list[Missed], rows: int, limit: int) -> None:
    async with store_on(base, synchronous="normal") as store:
        for message in messages:
            store.put(message, lambda error: None)
        await store.flushed()
        pages = await store.library.missed(questions, rows, limit)
    assert pages == [naive(messages, asked, rows, limit) for asked in questions]


@pytest.mark.parametrize("is_admin", [False, True])
async def test_nothing_is_scanned(tmp_path: Path, is_admin: bool) -> None:
    """Every query on messages uses an index that ends in the id."""
    store = SqliteStore(StoreConfig(db=str(tmp_path / "chatd.db")))
    await store.open()
    try:
        size, values = missed_values([Missed("ana", is_admin, MessageId(1), MessageId(9))] * 3, 50, 1_000)
        plan = [row[3] for row in await store.history.rows("EXPLAIN QUERY PLAN " + missed_sql(size), values)]
    finally:
        await store.close()
    walks = [step for step in plan if "mensajes" in step]
    assert len(walks) == 8
    assert all(step.startswith("SEARCH") and "rowid>? AND rowid<?" in step for step in walks)
    assert not [step for step in plan if "TEMP B-TREE" in step]
