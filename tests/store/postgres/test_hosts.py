"""An address that first reaches one server and later another: no session may read from a standby."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from chatd.store.base import Found, Message, MessageId, Question, Store, StoredAs, StoreError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from chatd.store.history import Range, Towards
from chatd.store.postgres import link
from tests.interop.proxy import Proxy, proxy
from tests.postgresql import Server, folder_for_server
from tests.store.postgres.patience import faulty, healed, opened, put, stored
from tests.store.postgres.test_faults import ANA
from tests.store.rig import PostgresBase

ROW = Message(MessageId(7), "ana", "berta", "hola", 1_700_000_000_000, supervisado=True, cid="c1")

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatd' AND pid"
WRITER = "(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid IS NOT NULL)"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MAX_PAUSE_S", 0.2)


@pytest.fixture
def standby(own: PostgresBase) -> Iterator[Server]:
    """A copy of the server with tables and key that gets no later changes."""
    asyncio.run(opened(str(own)))
    with folder_for_server() as folder:
        own.server.stop()
        behind = Server(folder)
        shutil.copytree(own.server.data, behind.data)
        (behind.data / "standby.signal").touch()
        own.server.start()
        for path in (behind.data, *behind.data.rglob("*")):
            shutil.chown(path, own.server.data.owner(), own.server.data.group())
        behind.start()
        try:
            yield behind
        finally:
            behind.stop()


@contextlib.asynccontextmanager
async def through_proxy(base: PostgresBase, how: str = "") -> AsyncIterator[tuple[Store, Proxy]]:
    """A store, and the proxy between it and the server."""
    async with proxy(base.server.port) as between:
        url = str(base).replace(str(base.server.port), str(between.port))
        store = make_store(StoreConfig(db=f"{url}{how}"))
        await store.open()
        try:
            yield store, between
        finally:
            await store.close()


async def found(store: Store) -> object:
    heard: list[object] = []
    store.find(Question("ana", "c1", list_cids=False), heard.append)
    await store.flushed()
    return heard[0]


async def test_a_reading_session_never_uses_a_standby(own: PostgresBase, standby: Server) -> None:
    """P-02: the lookup for a retried message would miss it, and it would be delivered twice."""
    async with through_proxy(own) as (store, between):
        store.put(ROW, lambda error: None)
        await store.flushed()
        between.target = standby.port
        own.server.sql(f"{END} NOT IN {WRITER}")
        await faulty(store, "not the server that the messages are written to")
        assert isinstance(await found(store), StoreError)
        with pytest.raises(StoreError, match="cannot be read"):
            await store.library.page(ANA, None, Range(), Towards.PAST, 5)
        between.target = own.server.port
        await healed(store)
        assert await found(store) == Found(StoredAs(ROW.id, ROW.fecha), None)


async def test_reading_sessions_follow_the_writing_one_to_another_server(own: PostgresBase, standby: Server) -> None:
    """P-02"""
    async with through_proxy(own) as (store, between):
        standby.sql("SELECT pg_promote()")
        between.target = standby.port
        own.server.sql(f"{END} IN {WRITER}")
        await stored(store, 1)
        await healed(store)
        page = await store.library.page(ANA, None, Range(), Towards.PAST, 5)
        assert [row.id for row in page.rows] == [1]


@pytest.mark.parametrize("wish", ["read-write", "standby", "any"])
async def test_the_primary_is_used_whatever_the_url_prefers(own: PostgresBase, wish: str) -> None:
    """P-02"""
    async with through_proxy(own, f"?target_session_attrs={wish}") as (store, _):
        assert (await put(store, 1)).stored == [1]
