"""The widget on a page of another host of its domain: one script tag, as a shop would have it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.chat.people import token
from tests.web.chromium.cdp import DOMAIN
from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

# Where the tag stands. When it has run, the page asks for /ran, and the shop sends what comes after it.
TAG: Final = """<script src="WIDGET" data-para="soporte" onload="fetch('/ran')" async></script>"""
IN_BODY: Final = f"<h1>Shoes</h1>{TAG}"
IN_HEAD: Final = f"<head>{TAG}"

REFUSED: Final = ("frame-ancestors", "policy", "chromewebdata")  # what the browser says of a frame that may not be


@pytest.fixture
def shop_port() -> int:
    return free_port()


@pytest.fixture
def flags(shop_port: int) -> list[str]:
    return ["--console", "--origin", f"http://shop.{DOMAIN}:{shop_port}"]


@pytest.fixture
def upto_tag() -> str:
    """The page of the shop, down to the tag of the widget; a test may have another."""
    return IN_BODY


@pytest_asyncio.fixture(loop_scope="session")
async def shop(place: Place, shop_port: int, upto_tag: str) -> AsyncIterator[str]:
    tag = upto_tag.replace("WIDGET", f"http://chat.{DOMAIN}:{place.server.port}/chatd/widget.js")
    page = f"""<!doctype html><meta name="viewport" content="width=device-width">
      <title>A shop</title><link rel="icon" href="data:,">{tag}"""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"
    ran = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode())
        if request.startswith(b"GET /ran "):
            ran.set()
        else:
            writer.write(page.encode())
            await ran.wait()
            writer.write(b"<body><p>The end</p>")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", shop_port):
        yield f"http://shop.{DOMAIN}:{shop_port}/"


async def visitor(place: Place, shop: str, *, phone: bool = False, allowed: tuple[str, ...] = ()) -> Window:
    """Somebody who is logged in at the chat's host, on the page of the shop, with the widget open."""
    window = await place.window(size=(390, 780) if phone else (1180, 760), phone=phone)
    window.allowed.update(allowed)
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


@pytest.mark.parametrize("upto_tag", [IN_HEAD, IN_HEAD.replace(" async", "")], ids=["async", "sync"])
async def test_the_tag_may_stand_in_the_head(place: Place, shop: str) -> None:
    ana = await visitor(place, shop)
    await ana.until("document.activeElement?.shadowRoot?.activeElement?.tagName === 'IFRAME'")


@pytest.mark.parametrize("flags", [["--console"]], ids=["a shop that is not allowed to"])
async def test_a_frame_that_does_not_load_can_be_closed_on_a_phone(place: Place, shop: str) -> None:
    ana = await visitor(place, shop, phone=True, allowed=REFUSED)
    await ana.heard("frame-ancestors")
    await ana.see("iframe")
    await ana.click("button")
    await ana.gone("iframe")


async def test_on_a_phone_the_panel_has_the_screen_once_it_is_there(place: Place, shop: str) -> None:
    ana = await visitor(place, shop, phone=True)
    await ana.see("iframe")
    await ana.gone("button")


async def test_escape_closes_it_from_the_page_around(place: Place, shop: str) -> None:
    ana = await visitor(place, shop)
    await ana.see("iframe")
    await ana.click("h1")
    await ana.press("Escape")
    await ana.gone("iframe")
