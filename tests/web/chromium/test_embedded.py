"""The widget on a page of another host of its domain: one script tag, as a shop would have it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.shop import IN_HEAD, visitor

REFUSED: Final = ("frame-ancestors", "policy", "chromewebdata")  # what the browser says of a frame that may not be


@pytest.fixture
def flags(shop_flags: list[str]) -> list[str]:
    return shop_flags


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
