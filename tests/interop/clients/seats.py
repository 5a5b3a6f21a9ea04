"""Starts each client of the table: its program, its version as the program reports it, and its cookies."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import platform
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from tests.interop.clients.browser import driving_page, running_tab
from tests.interop.node import HERE as INTEROP
from tests.interop.node import Driver, bun_executable, node_executable, running_program
from tests.interop.processes import ROOT
from tests.web.tab import Tab

HERE: Final = Path(__file__).parent
BUNDLE: Final = "dist/socket.io.esm.min.js"
# Suffix of npm's Node.js packages.
MACHINE: Final = "linux-arm64" if platform.machine() == "aarch64" else "linux-x64"


@dataclasses.dataclass(frozen=True, slots=True)
class Seat:
    """A running client. `version` is the client's, `runtime` has a name and a version."""

    driver: Driver
    version: str
    runtime: str

    async def cookie(self, token: str) -> dict[str, Any]:
        """Make the client send the cookie. Returns the options that this needs."""
        return {"extraHeaders": {"Cookie": f"token={token}"}}


@dataclasses.dataclass(frozen=True, slots=True)
class BrowserSeat(Seat):
    tab: Tab

    async def cookie(self, token: str) -> dict[str, Any]:
        await self.tab.evaluate(f"document.cookie = {json.dumps(f'token={token}')}")
        return {}


# The command that starts the runtime; the program and its arguments follow.
Runtime = Callable[[], list[str]]
# Takes the URL of the daemon, which must serve the page.
Start = Callable[[str], AbstractAsyncContextManager[Seat]]


def javascript(release: str, runtime: Runtime, file: str | None = None) -> Start:
    """socket.io-client `release` in `runtime`; `file` is the file of the package to import."""
    package = [f"socket.io-client-{release}"] if file is None else [f"socket.io-client-{release}", file]
    return _program(lambda: [*runtime(), str(INTEROP / "driver.mjs"), *package])


def python(folder: str | None = None) -> Start:
    """python-socketio in the virtual environment `folder` below .venv; by default the newest, in .venv itself."""
    executable = sys.executable if folder is None else str(ROOT / ".venv" / folder / "bin" / "python")
    return _program(lambda: [executable, str(HERE / "driver.py")])


def browser(name: str) -> Start:
    """The bundle of the newest release in "firefox" or "webkit"."""

    @contextlib.asynccontextmanager
    async def start(url: str) -> AsyncIterator[Seat]:
        version = json.loads((INTEROP / "node_modules/socket.io-client-4.8/package.json").read_text())["version"]
        async with running_tab(name) as tab, driving_page(tab, url) as driver:
            agent = str((await driver.ready)["runtime"])
            yield BrowserSeat(driver, version, _browser_of(agent), tab)

    return start


def _program(command: Runtime) -> Start:
    @contextlib.asynccontextmanager
    async def start(url: str) -> AsyncIterator[Seat]:
        async with running_program(*command()) as driver:
            yield Seat(driver, **await driver.ready)

    return start


def _browser_of(agent: str) -> str:
    """Name and version from the User-Agent. WebKitGTK's has had a constant version for years."""
    if found := re.search(r"Firefox/([0-9.]+)", agent):
        return f"Firefox {found[1]}"
    package = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", "webkit2gtk-driver"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"WebKitGTK {package.stdout.partition('-')[0] or 'of unknown version'}"


def node(major: int | None = None) -> Runtime:
    """Node.js from npm's package of that major release, by default that of the machine."""
    if major is None:
        return lambda: [node_executable()]
    return lambda: [str(HERE / f"node_modules/node-{major}-{MACHINE}/bin/node")]


def bun() -> list[str]:
    return [bun_executable()]


def deno() -> list[str]:
    return [str(HERE / "node_modules/.bin/deno"), "run", "--allow-all", "--quiet"]
