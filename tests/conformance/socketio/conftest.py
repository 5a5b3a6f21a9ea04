"""One app without heartbeats for each test, and a client of each transport."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conformance.socketio.app import App, running
from tests.conformance.socketio.peers import Peer, connected
from tests.socketio.conftest import nothing_is_logged  # noqa: F401  # a fixture


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with running() as started:
        yield started


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def peer(app: App, transport: str) -> Peer:
    return await connected(app.client, transport)
