"""The focus is never lost: it stays on its element, or moves to where the action leads."""

from __future__ import annotations

from typing import Any, Final

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

FOCUSED: Final = "document.activeElement"


async def opened(place: Place, **view: Any) -> Window:
    """An admin with two conversations, of which the one with ana is open."""
    admin = await place.admin(**view)
    await place.wrote("ana", "bob")
    await admin.click("#list a", "from ana")
    return admin


async def live(place: Place) -> Window:
    """An admin on the live view, which shows ana."""
    admin, _ = await place.admin(), await place.user("ana")
    await admin.click("#tab-live")
    await admin.see("#who a", "ana")
    return admin


async def test_a_row_that_moves_keeps_the_focus(place: Place) -> None:
    admin = await place.admin()
    ana, _ = await place.wrote("ana", "bob")
    await admin.see("#list li:first-child a", "bob")
    await admin.evaluate("document.querySelector('#list li:nth-child(2) a').focus()")
    await ana.say("once more")
    await admin.see("#list a", "once more")
    await admin.until(f"{FOCUSED}.matches('#list a') && {FOCUSED}.textContent.includes('once more')")


async def test_a_name_in_the_live_view_keeps_the_focus(place: Place) -> None:
    admin = await live(place)
    await admin.evaluate("document.querySelector('#who a').focus()")
    await place.user("bob")
    await admin.see("#who a", "bob")
    assert await admin.evaluate(f"{FOCUSED}.textContent") == "ana"


async def test_the_live_view_has_no_link_to_the_reader(place: Place) -> None:
    admin = await live(place)
    await admin.see("#who td", "root")
    assert await admin.texts("#who a") == ["ana"]


async def test_on_a_phone_the_focus_follows_the_panes_and_returns(place: Place) -> None:
    admin = await opened(place, size=(390, 780), phone=True)
    await admin.until(f"{FOCUSED}.id === 'thread-name'")
    await admin.click("#back")
    await admin.until(f"{FOCUSED}.matches('#list a') && {FOCUSED}.textContent.includes('from ana')")
    await admin.click("#tab-live")
    await admin.until(f"{FOCUSED}.id === 'live-title'")
    await admin.click("#live-back")
    await admin.until(f"{FOCUSED}.id === 'tab-live'")


async def test_browser_back_focuses_the_row(place: Place) -> None:
    admin = await opened(place)
    await admin.until(f"{FOCUSED}.id === 'box'")
    await admin.evaluate("history.back()")
    await admin.until(f"{FOCUSED}.matches('#list a') && {FOCUSED}.textContent.includes('from ana')")


async def test_enter_on_the_open_conversation_focuses_its_box(place: Place) -> None:
    admin = await opened(place)
    await admin.until(f"{FOCUSED}.id === 'box'")
    await admin.press("Escape")
    await admin.until(f"{FOCUSED}.matches('#list a[aria-current]')")
    await admin.press("Enter")
    await admin.until(f"{FOCUSED}.id === 'box'")


async def test_the_current_tab_is_marked(place: Place) -> None:
    """aria-current="" means not current: https://www.w3.org/TR/wai-aria-1.2/#aria-current"""
    admin = await place.admin()
    marks = "[...document.querySelectorAll('.tabs a')].map((tab) => tab.getAttribute('aria-current'))"
    assert await admin.evaluate(marks) == ["page", None]
    await admin.click("#tab-live")
    await admin.see("#live-title")
    assert await admin.evaluate(marks) == [None, "page"]
