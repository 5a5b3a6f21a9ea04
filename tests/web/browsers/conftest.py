"""Firefox and WebKitGTK, if installed. Else the report says that they are missing; with ALL_TOOLS set, tests fail."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.processes import Server
from tests.web.browsers.tabs import BROWSERS, OpenTab
from tests.web.imported import serving_imported

MISSING: Final = (
    "THE TESTS OF OTHER BROWSERS DID NOT RUN: there is no {}. Install firefox-esr, webkit2gtk-driver and xvfb, or run "
    "make browser as root."
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for name in BROWSERS:
        if any(MISSING.format(name) in str(report.longrepr) for report in skipped):
            terminalreporter.section(f"no {name}", sep="!", red=True, bold=True)
            terminalreporter.line(MISSING.format(name), red=True, bold=True)


@pytest.fixture(params=sorted(BROWSERS))
async def open_tab(request: pytest.FixtureRequest) -> AsyncIterator[OpenTab]:
    find, start = BROWSERS[request.param]
    if find() is None:
        (pytest.fail if os.environ.get("ALL_TOOLS") else pytest.skip)(MISSING.format(request.param))
    async with start() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving_imported(
        tmp_path, [], "--console", "--payload", "full", "--echo", "on", "--recovery", "on"
    ) as started:
        yield started
