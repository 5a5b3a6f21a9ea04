"""The database as several nodes have it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from chatd.store.config import StoreConfig
from chatd.store.postgres.nodes import NodeStore
from tests.store.postgres.patience import stored
from tests.store.rig import PostgresBase


@contextlib.asynccontextmanager
async def node(base: PostgresBase, number: int) -> AsyncIterator[NodeStore]:
    store = NodeStore(StoreConfig(db=str(base), busy_timeout_s=5.0), number)
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
