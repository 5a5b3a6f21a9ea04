"""`make PYTHON=...`: an environment belongs to one interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT


@pytest.mark.parametrize(
    ("words", "is_kept"), [((), True), ((f"PYTHON={sys.executable}",), True), (("PYTHON=/bin/false",), False)]
)
def test_an_environment_is_rebuilt_for_another_python(words: tuple[str, ...], is_kept: bool, tmp_path: Path) -> None:
    """Otherwise `make test PYTHON=python3.13` would run on the Python of the first `make setup`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    (tmp_path / ".created").touch()
    subprocess.run(["make", "-C", ROOT, "--question", f"VENV={tmp_path}", *words, "clean"], check=False)
    assert (tmp_path / ".created").exists() is is_kept
