"""`make systemd`: these tests boot a real systemd, which needs root and the right to mount; other runs skip them.

CI runs those marked `systemd_core` if the machine can boot one: `make systemd-core`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    which = config.getoption("boot_systemd")
    if which == "all":
        return
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    left_out = [item for item in mine if which is None or item.get_closest_marker("systemd_core") is None]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
