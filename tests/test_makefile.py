"""The error messages of `make`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.reference import README

# Root may write everywhere unless it drops this capability.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override", "--"] if os.geteuid() == 0 else []


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A checkout without write permission."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(README.parent / "Makefile", checkout)
    checkout.chmod(0o555)
    yield checkout
    checkout.chmod(0o755)


@pytest.mark.parametrize("target", ["run", "setup", "lint"])
def test_a_read_only_checkout_is_named_in_the_error(read_only: Path, target: str) -> None:
    done = subprocess.run(
        [*UNPRIVILEGED, "make", "--silent", f"PYTHON={sys.executable}", target],
        cwd=read_only,
        env=environment(LC_ALL="C"),
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode != 0
    assert f"{read_only} cannot be written: copy it to a directory of yours" in done.stderr
    assert "venv module" not in done.stderr
