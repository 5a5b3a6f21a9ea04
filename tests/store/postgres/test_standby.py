"""A server with a synchronous standby."""

from __future__ import annotations

import asyncio
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.store.base import MessageId, StoreCode
from chatd.store.postgres import link
from chatd.store.postgres.store import PostgresStore
from tests.postgresql import Server, as_nobody_special, environment, folder_for_server, programs
from tests.store.postgres.patience import eventually, faulty, healed, put
from tests.store.rig import PostgresBase, rows, store_on

_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'chatd' AND wait_event = 'SyncRep' AND query LIKE '%prueba%'
"""


@pytest.fixture
def standby(own: PostgresBase) -> Iterator[Server]:
    """A standby that every commit waits for."""
    with folder_for_server() as folder:
        copy = Server(folder)
        how = ["-h", "127.0.0.1", "-p", str(own.server.port), "-U", "chatd", "-R", "-c", "fast", "--no-sync"]
        backup: list[str | Path] = [*as_nobody_special(), programs() / "pg_basebackup", "-D", copy.data, *how]
        subprocess.run(backup, check=True, env=environment(), cwd=folder)
        copy.start()
        own.server.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        own.server.sql("SELECT pg_reload_conf()")
        try:
            yield copy
        finally:
            own.server.sql("ALTER SYSTEM RESET synchronous_standby_names")
            own.server.sql("SELECT pg_reload_conf()")
            copy.stop()


async def test_the_link_is_up_again_only_when_a_commit_returns(
    own: PostgresBase, standby: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-11, P-12"""
    monkeypatch.setattr(link, "MAX_PAUSE_S", 0.2)
    async with store_on(own, db_timeout_s=0.5) as store:
        assert isinstance(store, PostgresStore)
        assert (await put(store, 1)).stored == [1]
        await asyncio.to_thread(standby.stop)
        refused = await put(store, 2)
        assert refused.failed == {2: StoreCode.UNAVAILABLE}
        [(_, error)] = refused.seen
        assert error is not None
        assert error.doubt is not None
        shown: list[int] = []
        error.doubt.if_stored(MessageId(2), functools.partial(shown.append, 2))

        async def tries_a_commit() -> bool:
            return own.server.sql(_WAITING) == ["1"]

        await eventually(tries_a_commit)
        assert [row.id for row in rows(own)] == [1, 2], "it is seen there, and not on the standby"
        assert (store._link.is_up, shown) == (False, [])
        await faulty(store, "cannot be used")
        await asyncio.to_thread(standby.start)
        await healed(store)
        assert shown == [2]
        assert [row.id for row in rows(PostgresBase(standby, own.name))] == [1, 2]
        assert (await put(store, 3)).stored == [3]
