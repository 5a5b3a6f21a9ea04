"""Starting on PostgreSQL: what the daemon waits for, and which errors end the start."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from chatd.base.errors import ConfigError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from tests.interop.proxy import proxy
from tests.store.postgres.patience import PATIENCE_S, eventually, opened
from tests.store.rig import PostgresBase, store_on


async def waiting(caplog: pytest.LogCaptureFixture) -> None:
    """Return once the log says that the daemon waits."""

    async def is_said() -> bool:
        return "a start waits for the database" in caplog.messages

    await eventually(is_said)


async def test_a_start_waits_for_the_previous_daemon_to_end(
    own: PostgresBase, caplog: pytest.LogCaptureFixture
) -> None:
    """P-05: its machine may be down without the server noticing."""
    async with store_on(own):
        second = asyncio.create_task(opened(str(own), busy_timeout_s=0.05))
        await waiting(caplog)
    await second


async def test_the_size_of_the_database_is_measured(own: PostgresBase) -> None:
    """P-01"""
    async with store_on(own) as store:

        async def is_known() -> bool:
            return store.used is not None

        await eventually(is_known)
        [(size,)] = await store.query("SELECT pg_database_size(current_database())")
    assert store.used is not None
    assert store.used.log_bytes is None
    assert abs(store.used.database_bytes - size) < 10_000_000  # the server may vacuum meanwhile
    assert store.used.database_bytes > 1_000_000


async def test_a_start_waits_for_a_lock_of_another_program(own: PostgresBase, caplog: pytest.LogCaptureFixture) -> None:
    """P-04"""
    await opened(str(own))
    other = await asyncpg.connect(str(own))
    async with other.transaction():
        await other.execute("LOCK TABLE chatd.esquema")
        start = asyncio.create_task(opened(str(own), busy_timeout_s=0.05, db_timeout_s=PATIENCE_S))
        await waiting(caplog)
    await start
    await other.close()


async def test_a_start_survives_a_connection_lost_in_its_last_step(own: PostgresBase) -> None:
    """P-04"""
    async with proxy(own.server.port) as between:
        between.lose(b"max\0")
        start = asyncio.create_task(opened(str(own).replace(str(own.server.port), str(between.port))))
        await between.lost()
        between.restore()
        await start


async def test_a_start_without_enough_connections_leaves_no_session(
    own: PostgresBase, caplog: pytest.LogCaptureFixture
) -> None:
    """P-04: one connection too few at first, later enough"""
    own.server.sql(f"CREATE USER crowd CONNECTION LIMIT 3; ALTER DATABASE {own.name} OWNER TO crowd")
    store = make_store(StoreConfig(db=own.server.url(own.name, "crowd"), db_timeout_s=PATIENCE_S))
    start = asyncio.create_task(store.open())
    await waiting(caplog)
    own.server.sql("ALTER USER crowd CONNECTION LIMIT 9")
    await start
    try:
        assert own.server.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'crowd'") == ["4"]
    finally:
        await store.close()


@pytest.mark.parametrize("parameter", ["nonsense=1", "work_mem=much"])
async def test_a_parameter_that_the_server_does_not_know_ends_the_start(own: PostgresBase, parameter: str) -> None:
    """P-04"""
    with pytest.raises(ConfigError, match="check the parameters in the URL"):
        await opened(f"{own}?{parameter}")
