from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgresql import Server, server
from tests.store.rig import PostgresBase


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that tests may stop; they must start it again."""
    with server() as running:
        yield running


@pytest.fixture
def own(own_server: Server) -> PostgresBase:
    """A database on that server."""
    return PostgresBase(own_server)
