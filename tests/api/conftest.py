from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.served import Api, System, serving_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving_api(tmp_path) as running:
        yield running


@pytest.fixture
async def bot(api: Api) -> System:
    """With every scope."""
    return await api.system()
