"""The commands of the README about settings and data, as somebody would paste them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.cli.stored import message, rows, store
from tests.ops.tools import tool
from tests.reference import README


def commands(heading: str) -> list[str]:
    """The first block of commands under a heading."""
    _, found, below = README.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert found, heading
    block = re.search(r"(?:^    .*\n)+", below, re.MULTILINE)
    assert block is not None
    return [line.strip() for line in block[0].splitlines()]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment(PATH=path), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("heading", ["## Configuration", "### Backups, export, retention"])
def test_every_command_does_what_it_says(heading: str, tmp_path: Path) -> None:
    store(tmp_path / "chat.db", [message(0, de="maria"), message(1)])
    told = {command: run(command, tmp_path) for command in commands(heading)}
    assert len(told) >= 2
    assert {command: done.stderr for command, done in told.items() if done.returncode} == {}


def test_the_service_of_production_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """All but `systemctl`, for which systemd would have to run here; in a root of its own."""
    unit = tmp_path / "etc/systemd/system/chatd.service"
    unit.parent.mkdir(parents=True)
    for command in commands("## Production in five minutes"):
        if not command.startswith("systemctl "):
            here = command.replace("/opt/", f"{tmp_path}/opt/").replace("/etc/", f"{tmp_path}/etc/")
            done = run(here.replace("install .", f"install {README.parent}"), tmp_path)
            assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[0-9a-f]{64}\n", (tmp_path / "etc/chatd/jwt-secret").read_text())
    start = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    assert start.startswith(f"ExecStart={tmp_path}/opt/chatd/bin/chatd serve ")
    assert "--trusted-proxy 127.0.0.1" in start
    verify = [tool("systemd-analyze", "systemd"), "verify", str(unit)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_what_is_exported_is_what_is_imported(tmp_path: Path) -> None:
    store(tmp_path / "chat.db", [message(0, de="maria"), message(1)])
    for command in commands("### Backups, export, retention"):
        run(command, tmp_path)
    assert rows(tmp_path / "other.db") == rows(tmp_path / "monday.db") == rows(tmp_path / "chat.db")
