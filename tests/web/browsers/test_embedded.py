"""The widget on the page of another host of the same site."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.chat.people import token
from tests.interop.processes import Server
from tests.web.browsers.started import OpenTab
from tests.web.imported import serving_imported

pytestmark = pytest.mark.timeout(240)  # each starts two browsers

SITE: Final = "example.localhost"  # browsers resolve every subdomain of localhost to this machine
WIDGET: Final = "document.querySelector('chatd-widget').shadowRoot"
HEAD: Final = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"


@pytest.fixture
def shop_port() -> int:
    return free_port()


@pytest.fixture
def server(tmp_path: Path, shop_port: int) -> Iterator[Server]:
    origin = f"http://shop.{SITE}:{shop_port}"
    with serving_imported(tmp_path, [], "--console", "--payload", "full", "--origin", origin) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def shop(server: Server, shop_port: int) -> AsyncIterator[str]:
    """A server with a page that embeds the widget of the chat's host."""
    widget = f"http://chat.{SITE}:{server.port}/chatd/widget.js"
    page = f'<!doctype html><title>A shop</title><h1>Shoes</h1><script src="{widget}" data-para="soporte"></script>'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):  # a browser may connect ahead, and request nothing
            await reader.readuntil(b"\r\n\r\n")
            writer.write((HEAD + page).encode())

    async with await asyncio.start_server(answer, "127.0.0.1", shop_port):
        yield f"http://shop.{SITE}:{shop_port}/"


async def test_a_visitor_of_another_host_talks_with_an_admin(open_tab: OpenTab, server: Server, shop: str) -> None:
    """The shop's page cannot read the frame: the test checks the admin's page and the count on the button."""
    admin, ana = await open_tab(), await open_tab()
    await admin.cookie(server.url, "token", token("root", "admin"))
    await admin.go(f"{server.url}/chatd/")
    await admin.see("#whoami", "root")
    await ana.cookie(f"http://chat.{SITE}:{server.port}", "token", token("ana", "user"))
    await ana.go(shop)
    await ana.click("button")
    await admin.click("#list a", "ana")  # by now the frame is connected and its box has the focus
    async with ana.frame(f"{WIDGET}.querySelector('iframe')"):
        await ana.type("hola")
        await ana.press("Enter")
    await admin.see(".bubble", "hola")
    await ana.click("button")
    await admin.say("buenas")
    await ana.until(
        "document.querySelector('chatd-widget').shadowRoot.querySelector('button span').textContent === '1'"
    )
