from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.redis.server import RedisServer
from tests.postgresql import Server
from tests.store.rig import PostgresBase


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis server."""
    with RedisServer(tmp_path) as one:
        one.start()
        yield one


@pytest.fixture
def base(postgresql: Server) -> PostgresBase:
    """An empty database."""
    return PostgresBase(postgresql)
