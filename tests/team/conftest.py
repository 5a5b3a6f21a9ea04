from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.rig import Base, PostgresBase
from tests.team.people import Team, team_chat


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """An empty database of each kind: all features of a team work on both."""
    if request.param == "sqlite":
        return tmp_path / "chatd.db"
    return PostgresBase(request.getfixturevalue("postgresql"))


@pytest.fixture
async def team(base: Base) -> AsyncIterator[Team]:
    """A daemon whose admins are a team."""
    async with team_chat(base) as running:
        yield running
