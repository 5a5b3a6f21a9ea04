"""A daemon and windows on it."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser

from tests.chat.people import token
from tests.interop.processes import Server
from tests.web.chromium.window import Window


class Place:
    """A daemon and its windows."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        self.windows: list[Window] = []
        self._browser = browser

    @property
    def url(self) -> str:
        return self.server.url

    async def window(self, *, size: tuple[int, int] = (1180, 760), phone: bool = False, dark: bool = False,
                     language: str = "en-US") -> Window:  # fmt: skip
        """A new window with its own cookies."""
        width, height = size
        window = await Window.open(self._browser, width=width, height=height, phone=phone, dark=dark, language=language)
        self.windows.append(window)
        return window

    async def enter(self, path: str, user: str, rol: str, *, name: str | None = None, **look: Any) -> Window:
        """A window at `path`, logged in."""
        window = await self.window(**look)
        await window.cookie(self.url, "token", token(user, rol, name=name or user.capitalize()))
        await window.go(self.url + path)
        return window

    async def admin(self, user: str = "root", **look: Any) -> Window:
        """A window of an admin with the connected console."""
        window = await self.enter("/chatd/", user, "admin", **look)
        await window.see("#whoami", user)
        return window

    async def user(self, user: str = "ana", **look: Any) -> Window:
        """A window of a user with the widget open and connected."""
        window = await self.enter("/chatd/demo", user, "user", **look)
        await window.click("chatd-widget button, button")
        await window.see("#messages li:not(.notLoaded)")
        return window

    async def write_to_a_stranger(self, admin: Window, name: str, text: str) -> None:
        """Write to somebody who was never here, in the open thread."""
        await admin.see("#thread-presence", f"Nobody called {name} was ever here.")
        await admin.say(text)
        await admin.click(".ask-first button", "Send anyway")

    async def wrote(self, *users: str) -> list[Window]:
        """Windows of users who have each sent "from NAME", in this order."""
        windows = [await self.user(user) for user in users]
        for user, window in zip(users, windows, strict=True):
            await window.say(f"from {user}")
            await window.see('[data-fate="stored"]', f"from {user}")
        return windows
