"""The focus is never lost: whoever uses the keyboard or a screen reader stays where they were, or where that leads."""

from __future__ import annotations

from typing import Any, Final

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

FOCUSED: Final = "document.activeElement"


async def opened(place: Place, **view: Any) -> Window:
    """An admin who has opened the conversation with ana, one of two."""
    admin = await place.admin(**view)
    await place.wrote("ana", "bob")
    await admin.click("#list a", "from ana")
    return admin


async def live(place: Place) -> Window:
    """An admin who looks at the live view, with ana in it."""
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


async def test_the_live_view_does_not_lead_to_oneself(place: Place) -> None:
    admin = await live(place)
    await admin.see("#who td", "root")
    assert await admin.texts("#who a") == ["ana"]


async def test_on_a_phone_it_goes_to_what_is_shown_and_back_to_where_one_was(place: Place) -> None:
    admin = await opened(place, size=(390, 780), phone=True)
    await admin.until(f"{FOCUSED}.id === 'thread-name'")
    await admin.click("#back")
    await admin.until(f"{FOCUSED}.matches('#list a') && {FOCUSED}.textContent.includes('from ana')")
    await admin.click("#tab-live")
    await admin.until(f"{FOCUSED}.id === 'live-title'")
    await admin.click("#live-back")
    await admin.until(f"{FOCUSED}.id === 'tab-live'")


async def test_the_way_back_of_the_browser_leads_to_the_row(place: Place) -> None:
    admin = await opened(place)
    await admin.until(f"{FOCUSED}.id === 'box'")
    await admin.evaluate("history.back()")
    await admin.until(f"{FOCUSED}.matches('#list a') && {FOCUSED}.textContent.includes('from ana')")


async def test_enter_on_the_conversation_that_is_open_goes_to_its_box(place: Place) -> None:
    admin = await opened(place)
    await admin.until(f"{FOCUSED}.id === 'box'")
    await admin.press("Escape")
    await admin.until(f"{FOCUSED}.matches('#list a[aria-current]')")
    await admin.press("Enter")
    await admin.until(f"{FOCUSED}.id === 'box'")


async def test_the_tab_of_the_moment_is_marked(place: Place) -> None:
    """aria-current="" would mean that it is not: https://www.w3.org/TR/wai-aria-1.2/#aria-current"""
    admin = await place.admin()
    marks = "[...document.querySelectorAll('.tabs a')].map((tab) => tab.getAttribute('aria-current'))"
    assert await admin.evaluate(marks) == ["page", None]
    await admin.click("#tab-live")
    await admin.see("#live-title")
    assert await admin.evaluate(marks) == [None, "page"]
