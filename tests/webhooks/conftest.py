from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import Server
from tests.store.rig import Base, PostgresBase


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    if request.param == "sqlite":
        yield tmp_path / "chatd.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    yield PostgresBase(server)
