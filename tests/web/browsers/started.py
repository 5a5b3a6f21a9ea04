"""How to find and start each browser of the system. Each tab that a started browser opens has its own cookies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright
from selenium.webdriver import WebKitGTK, WebKitGTKOptions
from selenium.webdriver.webkitgtk.service import Service

from tests.web.chromium.browser import chromium as find_chromium
from tests.web.chromium.browser import running_chromium
from tests.web.playwright_tab import PlaywrightTab
from tests.web.selenium_tab import SeleniumTab
from tests.web.tab import Tab

MINI_BROWSERS: Final = "webkit2gtk-4.*/MiniBrowser"

OpenTab = Callable[[], Awaitable[Tab]]


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[OpenTab]:
    async with running_chromium() as browser:
        yield opener(browser)


@contextlib.asynccontextmanager
async def firefox() -> AsyncIterator[OpenTab]:
    """The channel makes Playwright speak WebDriver BiDi, not the protocol of its own build."""
    async with async_playwright() as playwright:
        browser = await playwright.firefox.launch(channel="moz-firefox", executable_path=find_firefox())
        yield opener(browser)
        await browser.close()


def opener(browser: Browser) -> OpenTab:
    async def open_tab() -> Tab:
        context = await browser.new_context(viewport={"width": 1180, "height": 760}, locale="en-US")
        return PlaywrightTab(await context.new_page())

    return open_tab


@contextlib.asynccontextmanager
async def webkit() -> AsyncIterator[OpenTab]:
    """Each tab is a WebDriver session, since WebKit has one cookie jar for each session. Xvfb is the display."""
    screen = await asyncio.create_subprocess_exec(
        "Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert screen.stdout is not None
    display = f":{(await screen.stdout.readline()).decode().strip()}"

    async def open_tab() -> Tab:
        return SeleniumTab(await asyncio.to_thread(start_webkit, display))

    try:
        yield open_tab
    finally:
        screen.terminate()
        await screen.wait()


def start_webkit(display: str) -> WebKitGTK:
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
    "chromium": (find_chromium, chromium),
    "firefox": (find_firefox, firefox),
    "webkit": (find_mini_browser, webkit),
}
"""For each browser, the functions that find and start it."""
