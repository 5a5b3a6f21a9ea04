"""The pages behind a proxy that blocks WebSocket: they use polling, and WebSocket again when the proxy allows it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.chat.people import token
from tests.web.blocking import BlockingProxy, Treatment
from tests.web.chromium.conftest import Place
from tests.web.chromium.window import PANEL, Window
from tests.web.tab import SIGHT_S

BLOCKED: Final = ("WebSocket", "403", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")  # parts of the browser's messages

WAYS: Final = """performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("transport=polling")).length"""


@pytest_asyncio.fixture(loop_scope="session", params=[Treatment.REFUSE, Treatment.SWALLOW])
async def proxy(place: Place, request: pytest.FixtureRequest) -> AsyncIterator[BlockingProxy]:
    async with BlockingProxy(place.server.port, request.param).run() as running:
        yield running


async def behind(proxy: BlockingProxy, place: Place, path: str, user: str, rol: str) -> Window:
    window = await place.window()
    window.allowed.update(BLOCKED)
    await window.cookie(proxy.url, "token", token(user, rol, name=user.capitalize()))
    await window.go(proxy.url + path)
    return window


async def test_both_pages_talk_by_polling(place: Place, proxy: BlockingProxy) -> None:
    root = await behind(proxy, place, "/chatd/", "root", "admin")
    ana = await behind(proxy, place, "/chatd/demo", "ana", "user")
    await ana.click("button")
    await ana.see("#messages li:not(.notLoaded)")
    await ana.say("from behind the proxy")
    await root.click("#list a", "from behind the proxy")
    await root.say("here too")
    await ana.see(".bubble", "here too")
    await ana.gone("#banner")
    assert proxy.asked >= 2
    assert await root.evaluate(WAYS) > 0
    assert await ana.evaluate(f"{PANEL}.{WAYS}") > 0


@pytest.mark.parametrize("proxy", [Treatment.REFUSE], indirect=True)
async def test_they_return_to_websocket_when_the_proxy_allows_it(place: Place, proxy: BlockingProxy) -> None:
    root = await behind(proxy, place, "/chatd/", "root", "admin")
    ana = await place.user()
    await root.see("#list a", "ana")
    asked = proxy.asked
    root.allowed.add("400")  # it still polls the session that the cut ended
    proxy.treatment = Treatment.PASS
    proxy.cut()
    await root.see("#whoami", "root")
    async with asyncio.timeout(SIGHT_S):  # messages arrive by polling until the upgrade
        for number in itertools.count():
            await root.evaluate("performance.clearResourceTimings()")
            await ana.say(f"after the cut {number}")
            await root.see("#list a", f"after the cut {number}")
            if await root.evaluate(WAYS) == 0:
                break
            proxy.cut()  # between two polls there was nothing to cut
    assert proxy.asked > asked
