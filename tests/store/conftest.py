from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.rig import Base, PostgresBase


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Where the database of a test is."""
    return tmp_path / "chatd.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """An empty database of each kind: what takes this is the contract of a store."""
    if request.param == "sqlite":
        return tmp_path / "chatd.db"
    return PostgresBase(request.getfixturevalue("postgresql"))


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> PostgresBase:
    """An empty database of PostgreSQL."""
    return PostgresBase(request.getfixturevalue("postgresql"))
