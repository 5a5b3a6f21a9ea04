"""One database shared by several nodes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from chatd.store.base import MessageId, StoreCode
from chatd.store.config import LATEST_COMMIT_MS, StoreConfig
from chatd.store.postgres.nodes import NodeStore
from tests.store.postgres.patience import eventually, put, stored
from tests.store.rig import Answers, PostgresBase, locked, message, rows

START_MS = LATEST_COMMIT_MS - 21_000
"""Maximal age of a message when it is sent to the server; the statement may take 21 s with these settings."""


def no_age(_: MessageId) -> int:
    """The age of a new message."""
    return 0


@contextlib.asynccontextmanager
async def node(
    base: PostgresBase, number: int, age_ms: Callable[[MessageId], int] = no_age
) -> AsyncIterator[NodeStore]:
    store = NodeStore(StoreConfig(db=str(base), busy_timeout_s=15.0, db_timeout_s=20.0), number, age_ms)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_one_node_at_a_time_deletes_what_is_old(own: PostgresBase) -> None:
    """N-14"""
    async with node(own, 1) as one, node(own, 2) as two:
        async with one.sweep_turn() as is_ours, two.sweep_turn() as is_theirs:
            assert (is_ours, is_theirs) == (True, False)
        async with two.sweep_turn() as is_theirs, one.sweep_turn() as is_ours:
            assert (is_ours, is_theirs) == (False, True)


async def test_one_node_at_a_time_runs_a_hook(own: PostgresBase) -> None:
    """W-08"""
    async with node(own, 1) as one, node(own, 2) as two:
        async with one.hook_turn(7) as is_ours, two.hook_turn(7) as is_theirs, two.hook_turn(8) as of_another:
            assert (is_ours, is_theirs, of_another) == (True, False, True)
        async with two.hook_turn(7) as is_theirs:
            assert is_theirs


async def test_each_node_has_its_own_log(own: PostgresBase) -> None:
    """A-20: a reader does not miss a message with a smaller id that is committed later."""
    async with node(own, 1) as one, node(own, 2) as two:
        await stored(two, 2 << 12 | 1 << 22)
        position = await one.log_from({-1: 0})
        assert position == {2: 0}
        [late] = await one.log_after(position, 10)
        position[one.log_of(late.id)] = late.id
        await stored(one, 1 << 12)
        assert [each.id for each in await two.log_after(position, 10)] == [1 << 12]
        assert await two.log_from(None) == {1: 1 << 12, 2: 2 << 12 | 1 << 22}
        assert await two.log_from({2: 5}) == {2: 5}


async def test_the_turn_of_a_node_ends_with_its_session(own: PostgresBase) -> None:
    """N-14"""
    async with node(own, 1) as one, node(own, 2) as two:
        async with one.sweep_turn() as is_ours:
            assert is_ours
            own.server.sql(f"SELECT pg_terminate_backend({one._process})")
            await stored(one, 1)
            async with two.sweep_turn() as is_theirs:
                assert is_theirs
        async with one.sweep_turn() as is_ours:
            assert is_ours


async def test_a_message_that_waited_too_long_is_refused_and_not_committed(own: PostgresBase) -> None:
    """N-16"""
    ages = {1: START_MS - 1_000, 2: START_MS, 3: -5_000}
    async with node(own, 1, lambda message_id: ages[message_id]) as one:
        for number in ages:
            answers = await put(one, number)
            if number == 2:
                [(_, error)] = answers.seen
                assert error is not None
                assert (error.code, error.retry, error.doubt) == (StoreCode.UNAVAILABLE, True, None)
                assert "waited too long" in error.message
            else:
                assert answers.stored == [number]
    assert [row.id for row in rows(own)] == [1, 3]


async def test_the_server_refuses_a_message_that_reaches_it_too_late(own: PostgresBase) -> None:
    """N-16: as if the node was suspended between reading the clock and sending."""
    async with node(own, 1, lambda _: START_MS - 1) as one:
        with locked(own):
            answers = Answers()
            answers.put(one, message(1))

            async def waits() -> bool:
                sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%mensajes%'"
                return own.server.sql(sql) == ["1"]

            await eventually(waits)
            await asyncio.sleep(0.01)  # longer than the remaining millisecond
        await one.flushed()
        assert answers.failed == {1: StoreCode.UNAVAILABLE}
        assert rows(own) == []
    async with node(own, 1) as one:
        assert (await put(one, 2)).stored == [2]


async def test_the_servers_clock_is_read_again_after_it_was_set(own: PostgresBase) -> None:
    """N-16: only one message is refused."""
    async with node(own, 1) as one:
        one._server_clock._ahead_ms -= 3_600_000
        assert (await put(one, 1)).failed == {1: StoreCode.UNAVAILABLE}
        await stored(one, 2)
        assert [row.id for row in rows(own)] == [2]
