from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.api.served import Api, System, serving_api
from tests.postgresql import Server
from tests.store.rig import Base, PostgresBase


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving_api(tmp_path) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    """A database of each kind."""
    if request.param == "sqlite":
        yield tmp_path / "chatd.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    yield PostgresBase(server)


@pytest.fixture
async def bot(api: Api) -> System:
    """A client whose key has every scope."""
    return await api.system()
