"""A real Chromium, a real daemon, and windows of logged-in people.

Without Chromium these tests are skipped and the report says so; with the variable ALL_TOOLS, as in CI, they fail.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bench.ports import free_port
from tests.chat.people import SECRET
from tests.interop import processes
from tests.interop.processes import Server, running
from tests.web.chromium.browser import NAMES, chromium, running_chromium
from tests.web.chromium.place import Place
from tests.web.chromium.shop import shop, shop_flags, shop_port, upto_tag

__all__ = ["Place", "shop", "shop_flags", "shop_port", "upto_tag"]

FLAGS: Final = ("--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--jwt-leeway", "0")
AT_LENGTH_S: Final = 60  # with at least this --storm-seconds, a test has an idle machine and also checks times

HERE: Final = Path(__file__).parent
MISSING: Final = (
    f"THE BROWSER TESTS DID NOT RUN: there is no {' or '.join(NAMES)} here. Install one (apt-get install chromium), "
    "or name it in the variable CHROMIUM."
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any("THE BROWSER TESTS DID NOT RUN" in str(report.longrepr) for report in skipped):
        terminalreporter.section("no browser", sep="!", red=True, bold=True)
        terminalreporter.line(MISSING, red=True, bold=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if chromium() is None:
        (pytest.fail if os.environ.get("ALL_TOOLS") else pytest.skip)(MISSING)
    async with running_chromium() as running_browser:
        yield running_browser


@pytest.fixture
def flags() -> list[str]:
    """The flags of the daemon; a module or a test may override them."""
    return [*FLAGS]


@pytest.fixture
def clock_file() -> Path | None:
    """The file of the daemon's wall clock, for a module whose tests set it: see `processes.set_clock`."""
    return None


@pytest.fixture
def server(tmp_path: Path, flags: list[str], clock_file: Path | None) -> Iterator[Server]:
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    port = free_port()
    command = processes.chat_command(port, tmp_path / "chat.db", secret_file, *flags)
    if clock_file is not None:
        command = processes.on_clock(command, clock_file)
    with running(command, port, tmp_path / "chatd.log") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def place(browser: Browser, server: Server) -> AsyncIterator[Place]:
    """The daemon and its windows. A test fails if a page has an error or a CSP violation."""
    started = Place(browser, server)
    yield started
    faults = [fault for window in started.windows for fault in window.faults]
    for window in started.windows:
        await window.close()
    assert not faults
