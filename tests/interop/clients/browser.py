"""The browser bundle of socket.io-client in a page of a real browser, with the same commands as driver.mjs.

The page is the bundle itself, as the daemon serves it with `--client-dir`: the page and the socket have one origin, and
the browser itself stores and sends the cookie.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Final

from tests.interop.node import HERE, Driver, driving
from tests.web.browsers.started import BROWSERS
from tests.web.tab import Tab

PAGE: Final = "/socket.io/socket.io.min.js"
LOOK_S: Final = 0.02
# One call passes commands in and output lines out, since a page cannot call the test. Values are plain JSON.
SETUP: Final = """(() => {
  const lines = [];
  const write = (line) => lines.push(JSON.stringify(line));
  const same = (value) => value;
  window.exchange = () => "[]";
  const bundle = document.createElement("script");
  bundle.src = "%(page)s";
  bundle.onload = async () => {
    const { orders } = await import("data:text/javascript;base64,%(orders)s");
    const table = orders({ io }, { write, pack: same, unpack: same });
    const obey = (order) =>
      Promise.resolve()
        .then(() => table[order.do](order))
        .then((ok) => write({ id: order.id, ok: ok ?? null }))
        .catch((error) => write({ id: order.id, error: String(error) }));
    window.exchange = (given) => {
      given.forEach(obey);
      return JSON.stringify(lines.splice(0));
    };
    write({ id: 0, ok: { runtime: navigator.userAgent } });
  };
  (document.head ?? document.documentElement).append(bundle);
  return true;
})()"""


class Page:
    """The channel to a tab."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._given: list[str] = []
        self._ended = asyncio.Event()

    def send(self, line: str) -> None:
        self._given.append(line)

    async def lines(self) -> AsyncIterator[str | bytes]:
        while not self._ended.is_set():
            given, self._given = self._given, []
            for line in json.loads(await self._tab.evaluate(f"window.exchange([{','.join(given)}])")):
                yield line
            await asyncio.sleep(LOOK_S)

    async def end(self) -> None:
        self._ended.set()


@contextlib.asynccontextmanager
async def running_tab(browser: str) -> AsyncIterator[Tab]:
    """A tab of "firefox" or "webkit"."""
    _, start = BROWSERS[browser]
    async with start() as open_tab:
        tab = await open_tab()
        yield tab
        await tab.close()


@contextlib.asynccontextmanager
async def driving_page(tab: Tab, url: str) -> AsyncIterator[Driver]:
    """The client in the page of the daemon at `url`."""
    await tab.go(url + PAGE)
    orders = base64.b64encode((HERE / "sockets.mjs").read_bytes()).decode()
    await tab.evaluate(SETUP % {"page": PAGE, "orders": orders})
    async with driving(Page(tab)) as driver:
        yield driver
