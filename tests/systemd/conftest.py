"""`make systemd`: these tests boot a systemd, which needs root and the right to mount; other runs leave them out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_readme import PAGE, commands
from tests.ops.tools import tool
from tests.systemd.machine import Machine, machine

ROOT = Path(__file__).parents[2]
MADE = ("/etc/chatd/chatd.toml", "/etc/systemd/system/chatd.service")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("boot_systemd"):
        return
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which the README's way to production was gone, to its end."""
    assert "## Production in five minutes" in PAGE
    tool("systemd-nspawn", "systemd-container")
    with machine(tmp_path_factory.mktemp("machine")) as made:
        for command in commands("## Production in five minutes"):
            if not command.startswith("systemctl "):
                made.prepare(f"cd {ROOT}; {command}")
        made.boot()
        for command in commands("## Production in five minutes"):
            if command.startswith("systemctl "):
                made.run(command)
        made.run(f"mkdir /root/made; cp {' '.join(MADE)} /root/made")
        yield made


@pytest.fixture(autouse=True)
def as_made(production: Machine) -> None:
    """What a test before this one has changed is as the README left it."""
    production.run("""
        systemctl stop chatd.socket 2>/dev/null || true
        systemctl stop chatd.service
        rm -f /etc/systemd/system/chatd.socket
        cp /root/made/chatd.toml /etc/chatd; cp /root/made/chatd.service /etc/systemd/system
        systemctl daemon-reload
        systemctl reset-failed
        systemctl start chatd
    """)
