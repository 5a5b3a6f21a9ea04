"""`chatd.pyz`: one file, copied and run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.deploy.conftest import make
from tests.deploy.stranger import VERSIONS, python_of, run, use

pytestmark = [pytest.mark.whole_release, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pyz")
    make("pyz", f"DIST={folder}")
    return folder / "chatd.pyz"


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_pyz_is_copied_and_run(pyz: Path, tmp_path: Path, version: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    copied = home / "chatd.pyz"
    shutil.copy(pyz, copied)
    await use([python_of(version), copied], home)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pyz_has_the_drivers_and_cryptography(pyz: Path, tmp_path: Path, version: str) -> None:
    run([python_of(version), pyz, "--version"], tmp_path)
    [unpacked] = (tmp_path / ".shiv").glob("chatd.pyz_*/site-packages")
    ask = "import sys; sys.path.insert(0, sys.argv[1]); import asyncpg, cryptography.hazmat.bindings._rust, hiredis"
    run([python_of(version), "-S", "-c", ask, unpacked], tmp_path)


def test_a_second_build_has_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make("pyz", f"DIST={tmp_path}")
    finally:
        os.umask(before)
    assert (tmp_path / "chatd.pyz").read_bytes() == pyz.read_bytes()
