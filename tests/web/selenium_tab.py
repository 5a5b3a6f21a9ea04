"""A tab of WebKitGTK, driven by Selenium and WebKit's own WebDriver. The driver reports no faults of pages.

Playwright drives only its own build of WebKit, which no registry has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.remote.webdriver import WebDriver

from tests.web.tab import BrowserError, Tab


class SeleniumTab(Tab):
    """Selenium's calls block, so they run in a thread."""

    def __init__(self, driver: WebDriver) -> None:
        super().__init__()
        self._driver = driver

    async def close(self) -> None:
        await asyncio.to_thread(self._driver.quit)

    async def go(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)

    async def cookie(self, url: str, name: str, value: str) -> None:
        """WebDriver sets cookies only for the host of the current page."""
        await self.go(f"{url}/healthz")
        about = {"name": name, "value": value, "path": "/", "httpOnly": True, "sameSite": "Strict"}
        await asyncio.to_thread(self._driver.add_cookie, about)

    async def evaluate(self, expression: str) -> Any:
        try:
            return await asyncio.to_thread(self._driver.execute_script, f"return ({expression})")
        except WebDriverException as error:
            raise BrowserError(str(error)) from error

    async def point(self, x: float, y: float) -> None:
        actions = ActionBuilder(self._driver)
        actions.pointer_action.move_to_location(round(x), round(y))  # type: ignore[no-untyped-call]
        await asyncio.to_thread(actions.perform)

    async def press_mouse(self) -> None:
        await asyncio.to_thread(ActionChains(self._driver).click().perform)

    async def type(self, text: str) -> None:
        await asyncio.to_thread(ActionChains(self._driver).send_keys(text).perform)

    async def press(self, key: str) -> None:
        await self.type(getattr(Keys, key.upper()))

    @contextlib.asynccontextmanager
    async def frame(self, element: str) -> AsyncIterator[None]:
        await asyncio.to_thread(self._driver.switch_to.frame, await self.evaluate(element))
        await asyncio.to_thread(self._driver.find_element("id", "box").click)
        yield
        await asyncio.to_thread(self._driver.switch_to.default_content)
