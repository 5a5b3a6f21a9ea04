"""`make deb`: the contents of the package. Its installation on Debian is in tests/systemd/test_package.py."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from chatd import __version__
from tests.cli.command import chatd
from tests.cli.test_readme import commands
from tests.deploy.conftest import make

pytestmark = [pytest.mark.whole_release, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    make("deb", f"DIST={folder}")
    [made] = folder.glob("*.deb")
    return made


def test_a_second_build_has_the_same_bytes(package: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make("deb", f"DIST={tmp_path}")
    finally:
        os.umask(before)
    assert (tmp_path / package.name).read_bytes() == package.read_bytes()


def test_the_package_has_metadata_and_files_owned_by_root(package: Path) -> None:
    def said(*words: str | Path) -> str:
        return subprocess.run(["dpkg-deb", *words], check=True, capture_output=True, text=True).stdout

    assert said("--field", package, "Version") == f"{__version__}-1\n"
    assert "python3 (>= 3.11)" in said("--field", package, "Depends")
    lines = said("--contents", package).splitlines()
    assert {line.split()[1] for line in lines} == {"root/root"}
    assert {line.split()[0] for line in lines} == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}


def test_the_package_has_the_settings_of_the_readme_and_the_unit_of_chatd(package: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    [command] = (line for line in commands("## Run it") if line.startswith("chatd config "))
    shown = command.partition(" > ")[0]
    config = tmp_path / "etc/chatd/chatd.toml"
    assert chatd(*shown.split()[1:]).stdout == config.read_text()
    unit = chatd("unit", "--exec", "/usr/bin/chatd", "--config", config).stdout
    assert unit.replace(str(tmp_path), "") == (tmp_path / "lib/systemd/system/chatd.service").read_text()
