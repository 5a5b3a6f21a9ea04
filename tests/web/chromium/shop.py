"""A shop on another host of the chat's domain, whose pages embed the widget by one script tag."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.chat.people import token
from tests.web.chromium.browser import DOMAIN
from tests.web.chromium.place import Place
from tests.web.chromium.window import Window

# After the tag has run, the page requests /ran, and the shop sends the rest of the page.
TAG: Final = """<script src="WIDGET" data-para="soporte" onload="fetch('/ran')" async></script>"""
IN_BODY: Final = f"<h1>Shoes</h1>{TAG}"
IN_HEAD: Final = f"<head>{TAG}"


@pytest.fixture
def shop_port() -> int:
    return free_port()


@pytest.fixture
def shop_flags(shop_port: int) -> list[str]:
    """Flags of the daemon that let the shop's pages embed the widget."""
    return ["--console", "--origin", f"http://shop.{DOMAIN}:{shop_port}"]


@pytest.fixture
def upto_tag() -> str:
    """The shop's page up to the widget's tag; a test may override it."""
    return IN_BODY


@pytest_asyncio.fixture(loop_scope="session")
async def shop(place: Place, shop_port: int, upto_tag: str) -> AsyncIterator[str]:
    tag = upto_tag.replace("WIDGET", f"http://chat.{DOMAIN}:{place.server.port}/chatd/widget.js")
    page = f"""<!doctype html><meta name="viewport" content="width=device-width">
      <title>A shop</title><link rel="icon" href="data:,">{tag}"""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"
    ran = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):  # a browser may connect ahead, and request nothing
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(head.encode())
            if request.startswith(b"GET /ran "):
                ran.set()
            else:
                writer.write(page.encode())
                await ran.wait()
                writer.write(b"<body><p>The end</p>")

    async with await asyncio.start_server(answer, "127.0.0.1", shop_port):
        yield f"http://shop.{DOMAIN}:{shop_port}/"


async def visitor(place: Place, shop: str, *, phone: bool = False, allowed: tuple[str, ...] = ()) -> Window:
    """A window on the shop's page, logged in at the chat's host, with the widget open."""
    window = await place.window(size=(390, 780) if phone else (1180, 760), phone=phone)
    window.allowed.update(allowed)
    await window.cookie(f"http://chat.{DOMAIN}:{place.server.port}", "token", token("ana", "user"))
    await window.go(shop)
    await window.click("button")
    return window
