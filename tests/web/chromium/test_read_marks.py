"""Read marks that the reader sets: a conversation is unread again, or everything is read."""

from __future__ import annotations

from tests.web.chromium.conftest import Place


async def test_marking_as_unread_closes_the_conversation_until_it_is_read_again(place: Place) -> None:
    """C-86: by the button, and by the keyboard from the box."""
    admin = await place.admin()
    [ana] = await place.wrote("ana")
    for by_mouse in (True, False):
        await admin.click("#list a", "ana")
        await admin.gone("#list .badge")
        await (admin.click("#mark-unread") if by_mouse else admin.press("Alt+u"))
        await admin.see("#list .badge", "1")
        await admin.gone("#thread-name")
        await admin.reload()
        await admin.see("#list .badge", "1")
    await admin.click("#list a", "ana")
    await admin.see(".divider")
    await admin.gone("#list .badge")
    await ana.see(".mine[data-mark^=read]", "from ana")


async def test_a_row_of_the_list_is_marked_without_opening_it(place: Place) -> None:
    """C-86: the focused row, reached by arrow keys."""
    admin = await place.admin()
    await place.wrote("ana", "eva")
    for user in ("ana", "eva"):
        await admin.click("#list a", user)
        await admin.see("#list a[aria-current]", user)
        await admin.gone("#list a .badge" if user == "eva" else "#list a[aria-current] .badge")
    await admin.evaluate("document.querySelector('#list a:not([aria-current])').focus(); 0")
    await admin.press("Alt+u")
    await admin.see("#list a:not([aria-current]) .badge", "1")
    await admin.see("#thread-name", "eva")


async def test_read_all_applies_to_every_tab_and_sends_no_receipts(place: Place) -> None:
    """C-87"""
    admin = await place.admin()
    windows = await place.wrote("ana", "bob", "eva")
    tab = await admin.beside(width=1180, height=760)
    await tab.go(f"{place.url}/chatd/")
    await tab.see("#unread", "3")
    await admin.click("#all-read")
    for window in (admin, tab):
        await window.gone("#list .badge")
        await window.gone("#all-read")
    await admin.reload()
    await admin.see("#list a", "from ", count=3)
    assert await admin.texts("#list .badge") == []
    assert await windows[0].texts(".mine[data-mark^=read]") == []
    await windows[1].say("one more")
    await admin.see("#unread", "1")
    await admin.press("Alt+Shift+u")
    await admin.gone("#list .badge")
    await tab.shut()
