"""The widget on a page of another host of its domain: one script tag, as a shop would have it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chat.people import token
from tests.interop.processes import free_port
from tests.web.chromium.cdp import DOMAIN
from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window


@pytest.fixture
def shop_port() -> int:
    return free_port()


@pytest.fixture
def flags(shop_port: int) -> list[str]:
    return ["--console", "--origin", f"http://shop.{DOMAIN}:{shop_port}"]


@pytest_asyncio.fixture(loop_scope="session")
async def shop(place: Place, shop_port: int) -> AsyncIterator[str]:
    page = f"""<!doctype html><title>A shop</title><link rel="icon" href="data:,"><h1>Shoes</h1>
      <script src="http://chat.{DOMAIN}:{place.server.port}/chatd/widget.js" data-para="soporte" async></script>"""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}{page}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", shop_port):
        yield f"http://shop.{DOMAIN}:{shop_port}/"


async def visitor(place: Place, shop: str) -> Window:
    """Somebody who is logged in at the chat's host, on the page of the shop, with the widget open."""
    window = await place.window()
    await window.cookie(f"http://chat.{DOMAIN}:{place.server.port}", "token", token("ana", "user"))
    await window.go(shop)
    await window.click("button")
    return window


async def test_they_talk(place: Place, shop: str) -> None:
    """The pages cannot look into each other, nor a test into the frame: what it writes goes to where the focus is."""
    admin, ana = await place.admin(), await visitor(place, shop)
    await admin.see("#list a", "ana")
    await ana.until("document.activeElement?.shadowRoot?.activeElement?.tagName === 'IFRAME'")
    await ana.type("from the shop")
    await ana.press("Enter")
    await admin.click("#list a", "from the shop")
    await ana.click("button")
    await admin.say("from the console")
    await ana.see("button span", "1")
    assert await ana.evaluate("document.cookie") == ""
