"""The main flows in each browser; tests/web/chromium has all others."""

from __future__ import annotations

import signal
from typing import Final

import pytest

from tests.chat.people import token
from tests.interop.processes import Server
from tests.web.blocking import BlockingProxy, Treatment
from tests.web.browsers.started import OpenTab
from tests.web.tab import Tab

pytestmark = pytest.mark.timeout(240)  # WebKit starts two browsers for each

# Parts of what the browsers report if the daemon or its WebSocket cannot be reached.
AWAY: Final = ("WebSocket", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "status of 50", "ws://")

LANGUAGE: Final = "getComputedStyle(document.querySelector('.language select'))"

# As WCAG 2 has it, of the text and of what is behind it.
CONTRAST: Final = f"""(() => {{
  const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3)
    .map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const {{ color, backgroundColor }} = {LANGUAGE};
  const [dark, bright] = [light(color), light(backgroundColor)].sort((one, other) => one - other);
  return (bright + 0.05) / (dark + 0.05);
}})()"""


async def entered(open_tab: OpenTab, url: str, path: str, user: str, rol: str, *allowed: str) -> Tab:
    tab = await open_tab()
    tab.allowed.update(allowed)
    await tab.cookie(url, "token", token(user, rol, name=user.capitalize()))
    await tab.go(url + path)
    return tab


async def both(open_tab: OpenTab, url: str, *allowed: str) -> tuple[Tab, Tab]:
    admin = await entered(open_tab, url, "/chatd/", "root", "admin", *allowed)
    await admin.see("#whoami", "root")
    ana = await entered(open_tab, url, "/chatd/demo", "ana", "user", *allowed)
    await ana.click("button")
    return admin, ana


async def test_user_and_admin_log_in_talk_and_find_the_history_after_a_reload(
    open_tab: OpenTab, server: Server
) -> None:
    admin, ana = await both(open_tab, server.url)
    await ana.say("hola")
    await admin.click("#list a", "hola")
    await admin.say("buenas")
    await ana.see(".bubble", "buenas")
    await ana.go(server.url + "/chatd/demo")
    await ana.see(".bubble", "buenas")
    await admin.go(server.url + "/chatd/#/with/ana")
    await admin.see(".bubble", "hola")


async def test_a_restart_loses_nothing(open_tab: OpenTab, server: Server) -> None:
    admin, ana = await both(open_tab, server.url, *AWAY)
    await ana.say("before")
    await admin.click("#list a", "before")
    server.stop(signal.SIGKILL)
    await ana.see("#banner", "No connection")
    await ana.say("while it was away")
    server.start()
    await admin.see(".bubble", "while it was away")
    await admin.say("after")
    await ana.see(".bubble", "after")


async def test_the_language_can_be_read(open_tab: OpenTab, server: Server) -> None:
    """WebKit draws a select white on white, whatever the colours of the page, unless `appearance` is none."""
    admin = await entered(open_tab, server.url, "/chatd/", "root", "admin")
    await admin.see("#whoami", "root")
    assert await admin.evaluate(f"({LANGUAGE}).appearance") == "none"
    assert await admin.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("treatment", [Treatment.REFUSE, Treatment.SWALLOW])
async def test_pages_poll_if_a_proxy_blocks_websocket(open_tab: OpenTab, server: Server, treatment: Treatment) -> None:
    async with BlockingProxy(server.port, treatment).run() as proxy:
        admin, ana = await both(open_tab, proxy.url, *AWAY)
        await ana.say("from behind the proxy")
        await admin.click("#list a", "from behind the proxy")
        await admin.say("here too")
        await ana.see(".bubble", "here too")
        assert proxy.asked >= 2
