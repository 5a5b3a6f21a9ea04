"""The compose files: every setting exists, and the paths are those of the image. No container is run."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.cli.command import chatd
from tests.deploy.conftest import ROOT
from tests.ops.tools import tool

DEPLOY: Final = ROOT / "deploy"
A_RUNTIME_WAITS_S: Final = 10
"""From the first signal to SIGKILL."""


def image() -> dict[str, str]:
    """The variables that the Containerfile sets."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    return dict(
        word.split("=", 1) for line in re.findall("^ENV (.*)$", text, re.MULTILINE) for word in shlex.split(line)
    )


def nodes(name: str) -> dict[str, Any]:
    services = YAML(typ="safe").load(DEPLOY / name)["services"]
    return {service: about for service, about in services.items() if about["image"] == "chatd"}


def settings(variables: dict[str, str], secret: Path) -> dict[str, str]:
    """The settings that a daemon reads from these variables, by variable."""
    done = chatd("config", "--changed", **{**variables, "CHATD_JWT_SECRET_FILE": str(secret)})
    assert (done.returncode, done.stderr) == (0, "")
    return {name: value for value, name in re.findall(r"^\w+ = (.*?) +# (CHATD_\w+)$", done.stdout, re.MULTILINE)}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("s" * 64)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(("name", "count"), [("compose.yaml", 1), ("compose-cluster.yaml", 2)])
def test_each_node_has_settings_a_secret_and_a_read_only_root(name: str, count: int, secret: Path) -> None:
    found = nodes(name)
    assert len(found) == count
    for about in found.values():
        assert about["read_only"] is True
        assert f"./jwt-secret:{image()['CHATD_JWT_SECRET_FILE']}:ro" in about["volumes"]
        variables = image() | about.get("environment", {})
        taken = settings(variables, secret)
        assert taken.keys() == {variable for variable in variables if variable.startswith("CHATD_")}
        assert float(taken["CHATD_STOP_TIMEOUT"]) < A_RUNTIME_WAITS_S


def test_both_nodes_share_a_database_and_a_bus(secret: Path) -> None:
    first, second = (
        settings(image() | about["environment"], secret) for about in nodes("compose-cluster.yaml").values()
    )
    assert (first.pop("CHATD_NODE"), second.pop("CHATD_NODE")) == ("1", "2")
    assert first == second


def test_haproxy_accepts_its_file_and_knows_each_node_by_its_number() -> None:
    file = DEPLOY / "haproxy.cfg"
    subprocess.run([tool("haproxy", "haproxy"), "-c", "-f", file], check=True, capture_output=True)
    for name, about in nodes("compose-cluster.yaml").items():
        number = about["environment"]["CHATD_NODE"]
        assert f"use_backend {name} if chat {{ urlp(sid) -m beg {number}. }}" in file.read_text()
        assert f"server {name} {name}:8400 check" in file.read_text()
