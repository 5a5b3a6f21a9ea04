"""Chromium, Firefox and WebKitGTK, if installed. Else the report names what is missing; with ALL_TOOLS, tests fail."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.interop.processes import Server
from tests.web.browsers.started import BROWSERS, OpenTab
from tests.web.imported import serving_imported
from tests.web.tab import Tab

MISSING: Final = (
    "TESTS OF SEVERAL BROWSERS DID NOT RUN: there is no {}. Install chromium, firefox-esr, webkit2gtk-driver and xvfb, "
    "or run make browser as root."
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for name in BROWSERS:
        if any(MISSING.format(name) in str(report.longrepr) for report in skipped):
            terminalreporter.section(f"no {name}", sep="!", red=True, bold=True)
            terminalreporter.line(MISSING.format(name), red=True, bold=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=sorted(BROWSERS))
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[OpenTab]:
    find, start = BROWSERS[request.param]
    if find() is None:
        (pytest.fail if os.environ.get("ALL_TOOLS") else pytest.skip)(MISSING.format(request.param))
    async with start() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(browser: OpenTab) -> AsyncIterator[OpenTab]:
    """Opens tabs for one test, which fails if one of them has a fault."""
    tabs: list[Tab] = []

    async def open_one() -> Tab:
        tabs.append(await browser())
        return tabs[-1]

    yield open_one
    faults = [fault for tab in tabs for fault in tab.faults]
    for tab in tabs:
        await tab.close()
    assert not faults


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving_imported(
        tmp_path, [], "--console", "--payload", "full", "--echo", "on", "--recovery", "on"
    ) as started:
        yield started
