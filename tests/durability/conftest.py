from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The database file of a test's daemon."""
    return tmp_path / "chatd.db"
