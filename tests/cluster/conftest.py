from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.interop.node import Driver, node_executable, running_driver


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[Driver]:
    async with running_driver(node_executable(), "4.8") as running:
        yield running
