from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.rig import Base, PostgresBase


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The path of the test's database."""
    return tmp_path / "chatd.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """An empty database of each kind. Tests with this fixture are the contract of a store."""
    if request.param == "sqlite":
        return tmp_path / "chatd.db"
    return PostgresBase(request.getfixturevalue("postgresql"))


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> PostgresBase:
    """An empty PostgreSQL database."""
    return PostgresBase(request.getfixturevalue("postgresql"))
