"""The widget on a page of another host of the same domain: one script tag, as in a shop."""

from __future__ import annotations

from typing import Final

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.shop import IN_HEAD, visitor

REFUSED: Final = ("frame-ancestors", "policy", "chromewebdata")  # parts of the browser's messages for a refused frame


@pytest.fixture
def flags(shop_flags: list[str]) -> list[str]:
    return shop_flags


async def test_a_visitor_and_an_admin_talk(place: Place, shop: str) -> None:
    """The pages cannot read each other, nor can the test read the frame: it types into the focused element."""
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


async def test_on_a_phone_the_loaded_panel_fills_the_screen(place: Place, shop: str) -> None:
    ana = await visitor(place, shop, phone=True)
    await ana.see("iframe")
    await ana.gone("button")


async def test_escape_in_the_embedding_page_closes_it(place: Place, shop: str) -> None:
    ana = await visitor(place, shop)
    await ana.see("iframe")
    await ana.click("h1")
    await ana.press("Escape")
    await ana.gone("iframe")
