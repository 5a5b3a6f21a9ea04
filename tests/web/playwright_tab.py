"""A tab of Chromium or Firefox, driven by Playwright: by CDP in the first, by WebDriver BiDi in the second.

Selenium would also need geckodriver, which neither Debian nor a registry of packages has; Puppeteer has no API for
Python. Playwright cannot drive Debian's WebKitGTK: see selenium_tab.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Error, Page

from tests.web.tab import PATIENCE_S, BrowserError, Tab


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Raise the driver's errors as BrowserError."""
    try:
        yield
    except Error as error:
        raise BrowserError(str(error)) from error


class PlaywrightTab(Tab):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.all_faults: list[str] = []  # including those that a test expects
        self._news = asyncio.Event()
        self._pointer = (0.0, 0.0)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._blame(error.stack or str(error)))

    async def close(self) -> None:
        await self.page.context.close()

    # Navigation.

    async def go(self, url: str) -> None:
        with failing():
            await self.page.goto(url, wait_until="commit")
        await self.until("document.readyState === 'complete'")

    async def reload(self) -> None:
        with failing():
            await self.page.reload(wait_until="commit")
        await self.until("document.readyState === 'complete'")

    async def cookie(self, url: str, name: str, value: str) -> None:
        await self.page.context.add_cookies(
            [{"url": url, "name": name, "value": value, "httpOnly": True, "sameSite": "Strict"}]
        )

    # Reading.

    async def evaluate(self, expression: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE_S):
                with failing():
                    return await self.page.evaluate(expression)
        except TimeoutError:
            raise BrowserError(f"no value of {expression}") from None

    async def drawn(self) -> None:
        """Wait two animation frames, after which the last change is drawn."""
        await self.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    async def screenshot(self, path: Path) -> None:
        await self.drawn()
        await self.page.screenshot(path=path, caret="initial")  # hiding the caret takes a style that the CSP forbids

    async def heard(self, part: str) -> None:
        """Wait for an expected fault."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(part in fault for fault in self.all_faults):
                self._news.clear()
                await self._news.wait()

    # Input.

    async def point(self, x: float, y: float) -> None:
        self._pointer = x, y
        await self.page.mouse.move(x, y)

    async def press_mouse(self) -> None:
        await self.page.mouse.click(*self._pointer)

    async def hold_mouse(self) -> None:
        """Press the left button and hold it."""
        await self.page.mouse.down()

    async def release_mouse(self) -> None:
        await self.page.mouse.up()

    async def type(self, text: str) -> None:
        await self.page.keyboard.insert_text(text)

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)

    # Internals.

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self._blame(f"{message.text} {message.location['url']}")

    def _blame(self, fault: str) -> None:
        self.all_faults.append(fault)
        self._news.set()
        if not any(part in fault for part in self.allowed):
            self.faults.append(fault)
