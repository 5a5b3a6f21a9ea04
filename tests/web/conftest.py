"""Tests in browsers share one event loop, since they share the browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

HERE: Final = Path(__file__).parent
IN_BROWSERS: Final = (HERE / "browsers", HERE / "chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in IN_BROWSERS) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
