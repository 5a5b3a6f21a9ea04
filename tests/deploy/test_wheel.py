"""`make wheel`: sdist and wheel are reproducible, and a new user can install them."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from chatd import __version__
from tests.deploy.conftest import EPOCH, ROOT
from tests.deploy.stranger import VERSIONS, install, python_of, run, use

SDIST, WHEEL = MADE = (f"chatd-{__version__}.tar.gz", f"chatd-{__version__}-py3-none-any.whl")
OWN: Final = "{}.{}".format(*sys.version_info)

pytestmark = pytest.mark.timeout(400)  # for the installation


def test_a_build_from_the_source_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """In another folder, with another umask, and without git."""
    assert {path.name for path in dist.iterdir()} >= set(MADE)
    with tarfile.open(dist / SDIST) as archive:
        archive.extractall(tmp_path, filter="data")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "again"],
        check=True,
        cwd=tmp_path / SDIST.removesuffix(".tar.gz"),
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        stdout=subprocess.DEVNULL,
        umask=0o077,
    )
    for name in MADE:
        assert (tmp_path / "again" / name).read_bytes() == (dist / name).read_bytes(), name


def test_the_wheel_has_metadata_and_licences(dist: Path) -> None:
    with zipfile.ZipFile(dist / WHEEL) as wheel:
        names = set(wheel.namelist())
        facts = f"chatd-{__version__}.dist-info"
        about = email.message_from_bytes(wheel.read(f"{facts}/METADATA"))
        assert wheel.read(f"{facts}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("chatd", __version__, "MIT")
    assert about["Description-Content-Type"] == "text/markdown"
    assert {"cluster", "crypto"} <= set(about.get_all("Provides-Extra", []))
    promised = [line.rpartition(" ")[2] for line in about.get_all("Classifier", []) if ":: Python :: 3." in line]
    assert promised == list(VERSIONS)
    assert {"chatd/py.typed", f"{facts}/licenses/chatd/web/licences/socket.io-client.txt"} <= names
    assert {name.partition("/")[0] for name in names} == {"chatd", facts}


@pytest.mark.parametrize(
    "version", [OWN, *(pytest.param(one, marks=pytest.mark.whole_release) for one in VERSIONS if one != OWN)]
)
async def test_the_wheel_is_installed_and_used(dist: Path, tmp_path: Path, version: str) -> None:
    python = install(python_of(version), tmp_path / "venv", dist / WHEEL)
    await use([python.with_name("chatd")], tmp_path / "home")


@pytest.mark.whole_release
@pytest.mark.parametrize("version", VERSIONS)
def test_the_extras_install_drivers_and_cryptography(dist: Path, tmp_path: Path, version: str) -> None:
    python = install(python_of(version), tmp_path / "venv", f"chatd[cluster,crypto] @ {(dist / WHEEL).as_uri()}")
    assert run([python, "-c", "import asyncpg, cryptography, hiredis; print('all')"], tmp_path / "home") == "all\n"
