"""Visitors of a shop: the widget's requests, its content, and its state across pages."""

from __future__ import annotations

from typing import Final

import pytest

from tests.chat.people import token
from tests.web.chromium.browser import DOMAIN
from tests.web.chromium.conftest import Place
from tests.web.chromium.shop import TAG
from tests.web.chromium.window import Window

ASKED: Final = """performance.getEntriesByType("resource").map(({ name }) => new URL(name))
  .filter(({ host }) => host.startsWith("chat.")).map(({ pathname }) => pathname)"""
HIDDEN: Final = "document.querySelector('chatd-widget')?.hidden"


def tag(attributes: str) -> str:
    return f"<h1>Shoes</h1>{TAG.replace('async', attributes + ' async')}"


@pytest.fixture
def flags(shop_flags: list[str]) -> list[str]:
    return [*shop_flags, "--payload", "full", "--echo", "on"]


async def stranger(place: Place, shop: str) -> Window:
    """A visitor who is not logged in."""
    window = await place.window()
    await window.go(shop)
    return window


async def log_in(place: Place, window: Window) -> None:
    await window.cookie(f"http://chat.{DOMAIN}:{place.server.port}", "token", token("ana", "user"))


async def test_until_a_click_the_script_is_the_only_request(place: Place, shop: str) -> None:
    visitor = await stranger(place, shop)
    await visitor.see("button")
    assert await visitor.evaluate(ASKED) == ["/chatd/widget.js"]
    await log_in(place, visitor)
    await visitor.reload()
    await visitor.see("button")
    assert await visitor.evaluate(ASKED) == ["/chatd/widget.js"]
    await visitor.click("button")
    await visitor.until(f"{ASKED}.includes('/chatd/panel')")


@pytest.mark.parametrize("upto_tag", [tag("data-logged-out=nothing")])
async def test_a_site_may_hide_the_widget_without_a_login(place: Place, shop: str) -> None:
    """E-52"""
    visitor = await stranger(place, shop)
    await visitor.until(f"{HIDDEN} === true && {ASKED}.includes('/chatd/session')")
    assert await visitor.evaluate(ASKED) == ["/chatd/widget.js", "/chatd/session"]
    await visitor.gone("button")
    await log_in(place, visitor)
    await visitor.reload()
    await visitor.see("button")


@pytest.mark.parametrize("upto_tag", [tag("data-unread")])
async def test_the_unread_count_is_requested_with_a_login_only(place: Place, shop: str) -> None:
    """E-52"""
    visitor = await stranger(place, shop)
    await visitor.until(f"{ASKED}.includes('/chatd/session')")
    assert await visitor.evaluate(ASKED) == ["/chatd/widget.js", "/chatd/session"]
    await log_in(place, visitor)
    admin = await place.admin()
    await admin.evaluate("location.hash = '#/with/ana'")
    await place.write_to_a_stranger(admin, "ana", "are you there?")
    await visitor.reload()
    await visitor.see("button span", "1")


@pytest.mark.parametrize("upto_tag", [tag('data-logged-out="Members only." data-login="/members?from=chat"')])
async def test_a_site_may_show_a_text_and_a_link_to_its_login(place: Place, shop: str) -> None:
    """Shop and chat are different origins, so the test opens the panel in its own window."""
    visitor = await stranger(place, shop)
    await visitor.click("button")
    await visitor.until(f"{ASKED}.includes('/chatd/panel')")
    address = await visitor.evaluate("document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').src")
    await visitor.go(address)
    await visitor.see("#closed-hint", "Members only.")
    await visitor.see("#closed-login", "Log in")
    link = "document.getElementById('closed-login')"
    assert await visitor.evaluate(f"[{link}.href, {link}.target]") == [f"{shop}members?from=chat", "_top"]


async def test_a_javascript_url_is_refused_as_login_address(place: Place) -> None:
    visitor = await place.window()
    await visitor.go(f"{place.url}/chatd/panel?login=javascript:alert(1)")
    await visitor.see("#closed-hint", "There is no session here.")
    await visitor.gone("#closed-login")


LOOK: Final = "title=Caf%C3%A9&greeting=Hola%2C+digan&away=Back+at+nine&lang=es&color=%23ffd500"


async def test_title_greeting_language_and_colour_are_configurable(place: Place) -> None:
    """C-78: the greeting while an admin is online, else when the site answers."""
    ana = await place.enter(f"/chatd/panel?{LOOK}", "ana", "user")
    await ana.see("#title", "Café")
    await ana.see("#hello", "Back at nine")
    assert await ana.evaluate("document.documentElement.lang") == "es"
    head = "getComputedStyle(document.querySelector('.panel-head'))"
    assert await ana.evaluate(f"[{head}.backgroundColor, {head}.color]") == ["rgb(255, 213, 0)", "rgb(0, 0, 0)"]
    assert await ana.faint_texts() == []
    await place.admin()
    await ana.reload()
    await ana.see("#hello", "Hola, digan")


@pytest.mark.parametrize("upto_tag", [tag('data-hours="Mo-Fr 09:00-17:00" data-time-zone="Europe/Madrid"')])
async def test_the_panel_is_told_the_hours_of_the_site(place: Place, shop: str) -> None:
    visitor = await stranger(place, shop)
    await visitor.click("button")
    address = "new URL(document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').src).searchParams"
    given = await visitor.evaluate(f"[{address}.get('hours'), {address}.get('timeZone')]")
    assert given == ["Mo-Fr 09:00-17:00", "Europe/Madrid"]


@pytest.mark.parametrize("upto_tag", [tag('data-color="#ffd500" data-side="left" data-title="Café" data-lang="es"')])
async def test_the_button_has_the_sites_colour_side_and_language(place: Place, shop: str) -> None:
    visitor = await stranger(place, shop)
    await visitor.see("button")
    button = "document.querySelector('chatd-widget').shadowRoot.querySelector('button')"
    style = f"getComputedStyle({button})"
    assert await visitor.evaluate(f"[{style}.backgroundColor, {style}.color]") == ["rgb(255, 213, 0)", "rgb(0, 0, 0)"]
    assert await visitor.evaluate(f"{button}.getBoundingClientRect().left") == 20
    assert await visitor.evaluate(f"{button}.getAttribute('aria-label')") == "Abrir el chat"


async def test_it_stays_open_across_pages_and_keeps_the_draft(place: Place) -> None:
    ana = await place.user()
    await ana.write("#box", "half a draft")
    await ana.go(f"{place.url}/chatd/demo?page=2")
    await ana.see("#box")
    await ana.until("document.querySelector('chatd-widget').shadowRoot.querySelector('iframe')"
                    ".contentDocument.getElementById('box').value === 'half a draft'")  # fmt: skip
    await ana.click("#close")
    await ana.reload()
    await ana.see("button")
    await ana.gone("#box")


async def test_unsent_messages_survive_the_tab(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    ana.allowed.update(("ERR_INTERNET_DISCONNECTED", "WebSocket"))
    await ana.offline(on=True)
    await ana.see("#banner", "No connection")
    await ana.say("from the tunnel")
    await ana.see(".mine[data-fate=sending]", "from the tunnel")
    later = await ana.beside(width=1180, height=760)
    await ana.shut()
    await later.go(f"{place.url}/chatd/demo")
    await later.click("button")
    await later.see(".mine[data-mark^=stored]", "from the tunnel")
    await admin.see("#list a", "from the tunnel")
    await later.reload()
    await later.see(".mine[data-mark^=stored]", "from the tunnel")
    assert await later.texts(".mine .bubble") == ["from the tunnel"]


async def test_back_on_a_phone_closes_the_panel_and_stays_in_the_shop(place: Place, shop: str) -> None:
    before = f"{shop}before"
    ana = await place.window(size=(390, 780), phone=True)
    await ana.go(before)
    await ana.go(shop)
    await ana.click("button")
    await ana.see("iframe")
    await ana.evaluate("window.kept = true; history.back()")
    await ana.gone("iframe")
    assert await ana.evaluate("[window.kept, location.href]") == [True, shop]
    await ana.see("button")
    await ana.evaluate("history.back()")
    await ana.until(f"location.href === '{before}'")
