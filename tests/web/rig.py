"""A daemon in this process that serves the pages, and requests as a browser sends them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from chatd.daemon.config import Raw, load
from chatd.daemon.floors import build
from chatd.daemon.opening import Opened
from chatd.daemon.pages import other_paths
from chatd.store.sqlite import SqliteStore
from chatd.web.entries import Entries
from tests.chat.people import SECRET
from tests.conformance.serving import serving
from tests.conformance.wire import Answer, Client


class Browser:
    """An HTTP client with the headers of a browser."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Headers are keywords: `if_none_match="x"` is If-None-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await (await self.client.connect()).request(method, path, headers=named)


@contextlib.asynccontextmanager
async def pages(folder: Path, entries: Entries | None = None, **settings: Raw) -> AsyncIterator[Browser]:
    """A daemon with these settings, by their names in the configuration."""
    config = load({"db": str(folder / "chatd.db"), **settings}, {"CHATD_JWT_SECRET": SECRET})
    other = other_paths(config, entries)
    store = SqliteStore(config.store)
    last_id = await store.open()
    try:
        engine = build(config, Opened(store, last_id), None, other).engine
        async with serving(engine.connection, config.engineio.path) as client:
            yield Browser(client)
    finally:
        await store.close()
