"""The list keeps its order under the pointer and the focus, and counts conversations with news."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

ORDER: Final = "[...document.querySelectorAll('#list a')].map(({ hash }) => hash.replace('#/with/', ''))"


async def two_in_order(place: Place) -> tuple[Window, Window, Window]:
    admin, (ana, bob) = await place.admin(), await place.wrote("ana", "bob")
    await admin.see("#list a", "from ", count=2)
    await admin.until(f"{ORDER}.join() === 'bob,ana'")
    return admin, ana, bob


async def test_it_keeps_its_order_while_the_pointer_is_over_it(place: Place) -> None:
    admin, ana, bob = await two_in_order(place)
    await admin.point_at("#list a")
    await ana.say("again")
    await admin.see("#list a", "again")
    assert await admin.evaluate(ORDER) == ["bob", "ana"]
    await admin.see("#list-news", "1 new above")
    await bob.say("me too")
    await admin.see("#list-news", "2 new above")
    await admin.point_at("#thread, #empty")
    await admin.until(f"{ORDER}.join() === 'bob,ana'")
    await admin.gone("#list-news")
    await ana.say("once more")
    await admin.until(f"{ORDER}.join() === 'ana,bob'")


async def test_a_click_is_not_lost_if_its_row_changes_before_the_release(place: Place) -> None:
    """A browser sends no click if what was pressed has been replaced."""
    admin, ana, _ = await two_in_order(place)
    eva = await place.user("eva")
    await admin.point_at("#list a", "from ana")
    await admin.hold_mouse()
    await ana.say("again")
    await ana.see('[data-fate="stored"]', "again")
    await eva.say("me too")
    await admin.until("document.title.startsWith('(3)')")  # ana's message came before
    await admin.drawn()
    await admin.release_mouse()
    await admin.see("#thread-name", "ana")
    await admin.see("#list a", "again")


async def test_it_keeps_its_order_while_the_focus_is_in_it(place: Place) -> None:
    admin, ana, _ = await two_in_order(place)
    await admin.evaluate("document.querySelector('#list a').focus()")
    await ana.say("again")
    await admin.see("#list-news", "1 new above")
    assert await admin.evaluate(ORDER) == ["bob", "ana"]
    await admin.click("#list-news")
    await admin.until(f"{ORDER}.join() === 'ana,bob'")


async def test_a_draft_is_marked_in_the_list(place: Place) -> None:
    admin, *_ = await two_in_order(place)
    await admin.click("#list a", "ana")
    await admin.write("#box", "half of it")
    await admin.click("#list a", "bob")
    await admin.see("#list .draft", "Draft")
    later = await admin.beside(width=1180, height=760)
    await admin.shut()
    await later.go(f"{place.url}/chatd/")
    await later.see("#list .draft", "Draft")
    await later.click("#list a", "ana")
    await later.until("document.getElementById('box').value === 'half of it'")
