from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The path of the daemon's database."""
    return tmp_path / "chatd.db"
