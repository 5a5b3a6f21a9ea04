from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chat.people import Chat, chatting


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The database file of a test's daemon."""
    return tmp_path / "chatd.db"


@pytest.fixture
async def chat(db: Path) -> AsyncIterator[Chat]:
    """A daemon with the default settings."""
    async with chatting(db) as running:
        yield running
