"""One interface for tests to Firefox and WebKitGTK, each with its most suitable driver.

Firefox speaks WebDriver BiDi by itself, and Debian has no geckodriver: Puppeteer drives it. WebKitGTK comes with its
own WebDriver, which Selenium drives. No published driver does both without a further program.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import json
import os
import shutil
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.1
MINI_BROWSERS: Final = "webkit2gtk-4.*/MiniBrowser"

# Also finds elements in same-origin frames and in open shadow roots.
FINDER: Final = """((selector, text) => {
  const roots = [document];
  for (const root of roots) {
    const fits = (one) => one.checkVisibility() && one.textContent.includes(text);
    const seen = [...root.querySelectorAll(selector)].find(fits);
    if (seen) return seen;
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) roots.push(one.shadowRoot);
      if (one.tagName === "IFRAME" && one.checkVisibility() && one.contentDocument) roots.push(one.contentDocument);
    }
  }
  return null;
})"""


class Tab(abc.ABC):
    """A tab with its own cookies."""

    @abc.abstractmethod
    async def go(self, url: str) -> None: ...

    @abc.abstractmethod
    async def cookie(self, url: str, name: str, value: str) -> None:
        """Put a cookie into the jar for the host of `url`."""

    @abc.abstractmethod
    async def evaluate(self, expression: str) -> Any: ...

    @abc.abstractmethod
    async def type(self, text: str) -> None:
        """Type into the focused element."""

    @abc.abstractmethod
    async def press(self, key: str) -> None: ...

    @contextlib.asynccontextmanager
    async def frame(self, _element: str) -> AsyncIterator[None]:
        """Type into the panel in that frame from now on. It has the focus, but WebKit's driver needs a switch."""
        yield

    async def see(self, selector: str, text: str = "") -> None:
        """Wait until a matching element is visible."""
        await self.until(f"{FINDER}({json.dumps(selector)}, {json.dumps(text)}) !== null")

    async def until(self, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not await self.evaluate(condition):
            shown = await self.evaluate("document.body.innerText")
            assert time.monotonic() < deadline, f"never true: {condition}\n{shown}"
            await asyncio.sleep(LOOK_S)

    async def click(self, selector: str, text: str = "") -> None:
        await self.see(selector, text)
        await self.evaluate(f"{FINDER}({json.dumps(selector)}, {json.dumps(text)}).click()")

    async def say(self, text: str) -> None:
        """Write a message and send it."""
        await self.see("#box")
        await self.evaluate(f"{FINDER}('#box', '').focus()")
        await self.type(text)
        await self.press("Enter")


OpenTab = Callable[[], Awaitable[Tab]]


class FirefoxTab(Tab):
    def __init__(self, firefox: Firefox, page: int) -> None:
        self._firefox = firefox
        self._page = page

    async def go(self, url: str) -> None:
        await self._order("go", url=url)

    async def cookie(self, url: str, name: str, value: str) -> None:
        await self._order("cookie", url=url, name=name, value=value)

    async def evaluate(self, expression: str) -> Any:
        return await self._order("evaluate", expression=expression)

    async def type(self, text: str) -> None:
        await self._order("type", text=text)

    async def press(self, key: str) -> None:
        await self._order("press", key=key)

    async def _order(self, order: str, **details: Any) -> Any:
        return await self._firefox.order(order, page=self._page, **details)


class Firefox:
    """The process of firefox.mjs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def order(self, order: str, **details: Any) -> Any:
        async with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({"order": order, **details}).encode() + b"\n")
            line = await self._process.stdout.readline()
        answer = json.loads(line or b'{"error": "Firefox has ended"}')
        assert "error" not in answer, answer["error"]
        return answer["value"]

    async def open(self) -> Tab:
        return FirefoxTab(self, await self.order("open"))


@contextlib.asynccontextmanager
async def firefox() -> AsyncIterator[OpenTab]:
    executable = find_firefox()
    assert executable is not None
    process = await asyncio.create_subprocess_exec(
        "node", str(Path(__file__).with_name("firefox.mjs")), executable,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Firefox(process).open
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class WebKitTab(Tab):
    """Selenium's calls block, so they run in a thread."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def go(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)

    async def cookie(self, url: str, name: str, value: str) -> None:
        """WebDriver sets cookies only for the host of the current page."""
        await self.go(f"{url}/healthz")
        about = {"name": name, "value": value, "path": "/", "httpOnly": True, "sameSite": "Strict"}
        await asyncio.to_thread(self._driver.add_cookie, about)

    async def evaluate(self, expression: str) -> Any:
        return await asyncio.to_thread(self._driver.execute_script, f"return ({expression})")

    async def type(self, text: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415

        await asyncio.to_thread(ActionChains(self._driver).send_keys(text).perform)

    @contextlib.asynccontextmanager
    async def frame(self, element: str) -> AsyncIterator[None]:
        await asyncio.to_thread(self._driver.switch_to.frame, await self.evaluate(element))
        await asyncio.to_thread(self._driver.find_element("id", "box").click)
        yield
        await asyncio.to_thread(self._driver.switch_to.default_content)

    async def press(self, key: str) -> None:
        from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

        await self.type(getattr(Keys, key.upper()))


@contextlib.asynccontextmanager
async def webkit() -> AsyncIterator[OpenTab]:
    """Each tab is a WebDriver session, since WebKit has one cookie jar for each session. Xvfb is the display."""
    drivers: list[Any] = []
    screen = await asyncio.create_subprocess_exec(
        "Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert screen.stdout is not None
    display = f":{(await screen.stdout.readline()).decode().strip()}"

    async def open_tab() -> Tab:
        drivers.append(await asyncio.to_thread(_start_webkit, display))
        return WebKitTab(drivers[-1])

    try:
        yield open_tab
    finally:
        for driver in drivers:
            await asyncio.to_thread(driver.quit)
        screen.terminate()
        await screen.wait()


def _start_webkit(display: str) -> Any:
    from selenium.webdriver import WebKitGTK, WebKitGTKOptions  # noqa: PLC0415
    from selenium.webdriver.webkitgtk.service import Service  # noqa: PLC0415

    options = WebKitGTKOptions()
    options.binary_location = str(find_mini_browser())
    options.add_argument("--automation")
    environment = {**os.environ, "DISPLAY": display}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Selenium's own code
        return WebKitGTK(options=options, service=Service(shutil.which("WebKitWebDriver"), env=environment))


def find_firefox() -> str | None:
    return os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


def find_mini_browser() -> Path | None:
    """MiniBrowser of WebKitGTK's packages; None if it or one of its tools is missing."""
    if shutil.which("WebKitWebDriver") is None or shutil.which("Xvfb") is None:
        return None
    return next(iter(sorted(Path("/usr/lib").glob(f"*/{MINI_BROWSERS}"))), None)


BROWSERS: Final[dict[str, tuple[Callable[[], object], Callable[[], AbstractAsyncContextManager[OpenTab]]]]] = {
    "firefox": (find_firefox, firefox),
    "webkit": (find_mini_browser, webkit),
}
"""For each browser, the functions that find and start it."""
