"""Cross-site GET requests that browsers send without an Origin header."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

# All elements and calls that send a GET without an Origin; each resolves when it has loaded or failed.
EMBED: Final = """(async () => {
  const url = (way) => `URL/socket.io/?EIO=4&transport=polling&t=${way}`;
  const embedded = (name, source) => new Promise((done) => {
    const element = document.createElement(name);
    Object.assign(element, { [source]: url(name), rel: "stylesheet", onload: done, onerror: done });
    document.head.append(element);
  });
  await Promise.all([embedded("img", "src"), embedded("script", "src"), embedded("link", "href"),
    fetch(url("fetch"), { mode: "no-cors" }).catch(() => null)]);
  return true;
})()"""
WAYS: Final = 4
EXPECTED: Final = ("403", "404", "MIME", "ERR_BLOCKED", "Unexpected", "SyntaxError", "JSON", "Invalid or unexpected")

PAGE: Final = b"<!doctype html><title>Another site</title><link rel='icon' href='data:,'>"


@pytest_asyncio.fixture(loop_scope="session")
async def other_port() -> AsyncIterator[int]:
    """The port of another site's server on this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + PAGE)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])


async def embed(place: Place, page: str) -> Window:
    window = await place.window()
    window.allowed.update(EXPECTED)
    await window.go(page)
    assert await window.evaluate(EMBED.replace("URL", place.url)) is True
    return window


def logged(place: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.server.log.read_text().splitlines()]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["cross-site", "same-site"])
async def test_a_cross_site_request_opens_no_session(place: Place, other_port: int, host: str) -> None:
    """E-45: else another site could use up the session limit of its visitors' address"""
    await embed(place, f"http://{host}:{other_port}/")
    assert [line for line in logged(place) if line["message"] == "session open"] == []
    (told,) = [line for line in logged(place) if line.get("limit") == "origin"]
    assert "a page of another site may not connect without an Origin" in told["message"]


async def test_a_same_origin_page_may_open_a_session(place: Place) -> None:
    """E-45: the control for the test above"""
    await embed(place, f"{place.url}/nothing-here")
    assert len([line for line in logged(place) if line["message"] == "session open"]) == WAYS


@pytest.mark.parametrize("flags", [["--origin", "*", "--insecure-any-origin"]])
async def test_any_page_may_open_a_session_if_every_origin_is_allowed(place: Place, other_port: int) -> None:
    """E-45"""
    await embed(place, f"http://localhost:{other_port}/")
    assert len([line for line in logged(place) if line["message"] == "session open"]) == WAYS
