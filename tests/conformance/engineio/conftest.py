"""One server without heartbeats for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import Client


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with running() as started:
        yield started


@pytest.fixture
def client(engine: Engine) -> Client:
    return engine.client
