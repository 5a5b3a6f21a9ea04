"""Headless Chromium, driven by the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/

One process serves all tests; each window is a browser context with its own cookies and storage.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

START_S: Final = 30.0
PATIENCE_S: Final = 20.0
NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# All its subdomains resolve to this machine. They are same-site, so that their cookies are sent across them.
DOMAIN: Final = "example.test"
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--remote-debugging-port=0",
    f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1",
)  # fmt: skip

Params = dict[str, Any]


class BrowserError(AssertionError):
    """Chromium did not start, or a command failed."""


def chromium() -> str | None:
    """The path of Chromium, or None. The variable CHROMIUM overrides it."""
    wanted = os.environ.get("CHROMIUM")
    return wanted or next((found for name in NAMES if (found := shutil.which(name))), None)


class Chromium:
    """A running browser with one DevTools connection for all commands."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Params]] = {}
        self._heard: dict[str, Callable[[str, Params], None]] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def order(self, method: str, session: str | None = None, **params: Any) -> Params:
        """Send a command and wait for its result. Raises BrowserError."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        named = {"id": number, "method": method, "params": params}
        await self._connection.send(json.dumps(named if session is None else {**named, "sessionId": session}))
        try:
            async with asyncio.timeout(PATIENCE_S):
                result: Params = await answer
                return result
        except TimeoutError:
            raise BrowserError(f"no answer to {method} {params}") from None

    def listen(self, session: str, heard: Callable[[str, Params], None]) -> None:
        """Call `heard` with the name and the details of each event of a session."""
        self._heard[session] = heard

    async def close(self) -> None:
        with contextlib.suppress(BrowserError):
            await self.order("Browser.close")
        await self._connection.close()
        await self._reader

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError):
            async for text in self._connection:
                self._take(json.loads(text))
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(BrowserError("the browser has ended"))

    def _take(self, packet: Params) -> None:
        match packet:
            case {"id": int(number)}:
                answer = self._asked.pop(number)
                if answer.done():
                    return
                if "error" in packet:
                    answer.set_exception(BrowserError(str(packet["error"])))
                else:
                    answer.set_result(packet["result"])
            case {"sessionId": str(session), "method": str(method)} if session in self._heard:
                self._heard[session](method, packet["params"])


@contextlib.asynccontextmanager
async def running_chromium(profile: Path, language: str = "en-US") -> AsyncIterator[Chromium]:
    """A browser with an empty profile. Raises BrowserError with its output if it does not start."""
    executable = chromium()
    assert executable is not None
    process = await asyncio.create_subprocess_exec(
        executable, *FLAGS, f"--lang={language}", f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        address = await _address(process.stderr)
        drain = asyncio.ensure_future(process.stderr.read())
        running = Chromium(await connect(address, max_size=None, proxy=None, ping_interval=None))
        yield running
        await running.close()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
            await drain
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(stderr: asyncio.StreamReader) -> str:
    """The DevTools address that Chromium prints on stderr."""
    said = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while line := (await stderr.readline()).decode():
                said.append(line)
                if line.startswith("DevTools listening on "):
                    return line.removeprefix("DevTools listening on ").strip()
    raise BrowserError("Chromium did not start:\n" + "".join(said))
