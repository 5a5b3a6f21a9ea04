"""`make systemd`: these tests boot a systemd, which needs root and the right to mount; other runs leave them out."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("boot_systemd"):
        return
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]
