from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.store.rig import Base
from tests.team.people import Team, team_chat


@pytest.fixture
async def team(base: Base) -> AsyncIterator[Team]:
    """A daemon whose admins are a team."""
    async with team_chat(base) as running:
        yield running
