"""A real Chromium, a real daemon, and windows of people who are logged in.

Without a Chromium these tests cannot run: then they are skipped and the report ends by saying so; where the variable
ALL_TOOLS is set, as in CI, they fail instead.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.chat.people import SECRET, token
from tests.interop import processes
from tests.interop.processes import Server, running
from tests.web.chromium.cdp import NAMES, Chromium, chromium, running_chromium
from tests.web.chromium.window import Window

HERE: Final = Path(__file__).parent
MISSING: Final = (
    f"THE BROWSER TESTS DID NOT RUN: there is no {' or '.join(NAMES)} here. Install one (apt-get install chromium), "
    "or name it in the variable CHROMIUM."
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of this folder share one event loop, since they share one browser."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any("THE BROWSER TESTS DID NOT RUN" in str(report.longrepr) for report in skipped):
        terminalreporter.section("no browser", sep="!", red=True, bold=True)
        terminalreporter.line(MISSING, red=True, bold=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chromium]:
    if chromium() is None:
        (pytest.fail if os.environ.get("ALL_TOOLS") else pytest.skip)(MISSING)
    async with running_chromium(tmp_path_factory.mktemp("profile")) as running_browser:
        yield running_browser


class Place:
    """A daemon, and the windows that look at it."""

    def __init__(self, browser: Chromium, server: Server) -> None:
        self.server = server
        self.windows: list[Window] = []
        self._browser = browser

    @property
    def url(self) -> str:
        return self.server.url

    async def window(self, *, size: tuple[int, int] = (1180, 760), phone: bool = False, dark: bool = False,
                     language: str = "en-US") -> Window:  # fmt: skip
        """Somebody's empty browser."""
        width, height = size
        window = await Window.open(self._browser, width=width, height=height, phone=phone, dark=dark, language=language)
        self.windows.append(window)
        return window

    async def enter(self, path: str, user: str, rol: str, **look: Any) -> Window:
        """A window of somebody who is logged in, at `path`."""
        window = await self.window(**look)
        await window.cookie(self.url, "token", token(user, rol, name=user.capitalize()))
        await window.go(self.url + path)
        return window

    async def admin(self, user: str = "root", **look: Any) -> Window:
        """An admin in the console, once it is connected."""
        window = await self.enter("/chatd/", user, "admin", **look)
        await window.see("#whoami", user)
        return window

    async def user(self, user: str = "ana", **look: Any) -> Window:
        """A user on a page with the widget, which is open and connected."""
        window = await self.enter("/chatd/demo", user, "user", **look)
        await window.click("chatd-widget button, button")
        await window.see("#messages li:not(.notLoaded)")
        return window


@pytest.fixture
def flags() -> list[str]:
    """What the daemon of a test is started with; a module or a test may have others."""
    return ["--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--jwt-leeway", "0"]


@pytest.fixture
def server(tmp_path: Path, flags: list[str]) -> Iterator[Server]:
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    port = free_port()
    command = processes.chat_command(port, tmp_path / "chat.db", secret_file, *flags)
    with running(command, port, tmp_path / "chatd.log") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def place(browser: Chromium, server: Server) -> AsyncIterator[Place]:
    """Whatever a test does, no page may fail or break its policy meanwhile."""
    started = Place(browser, server)
    yield started
    faults = [fault for window in started.windows for fault in window.faults]
    for window in started.windows:
        await window.close()
    assert not faults
