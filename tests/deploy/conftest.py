"""The artefacts of `make wheel`; with `make try-dist`, of a whole release."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
EPOCH: Final = "1790000000"
"""The mtime of every file in an artefact."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of every artefact on every Python take minutes, so they need an option."""
    if config.getoption("whole_release"):
        return
    left_out = [item for item in items if item.get_closest_marker("whole_release")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    make("wheel", f"DIST={folder}")
    return folder


def make(*words: str) -> None:
    environ = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run(["make", "-C", ROOT, *words], check=True, env=environ, stdout=subprocess.DEVNULL)
