from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Where the daemon of a test keeps its messages."""
    return tmp_path / "chatd.db"
