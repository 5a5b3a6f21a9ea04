from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.rig import PostgresBase


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The path of the test's database."""
    return tmp_path / "chatd.db"


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> PostgresBase:
    """An empty PostgreSQL database."""
    return PostgresBase(request.getfixturevalue("postgresql"))
