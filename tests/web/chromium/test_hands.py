"""Input and display modes: keyboard, touch, forced colours."""

from __future__ import annotations

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

SMALL = """[...document.querySelectorAll("button, select, input, textarea, .tabs a, #list a")]
  .filter((one) => one.checkVisibility() && one.id !== "skip")
  .filter((one) => { const { width, height } = one.getBoundingClientRect(); return width < 44 || height < 44; })
  .map((one) => one.outerHTML)"""


async def several(place: Place, count: int) -> Window:
    admin = await place.admin()
    await place.wrote(*(f"user{number}" for number in range(count)))
    await admin.see("#list a", "from ", count=count)
    return admin


async def test_tab_stops_once_in_the_list_and_arrows_move_in_it(place: Place) -> None:
    admin = await several(place, 3)
    await admin.evaluate("document.getElementById('search').focus()")
    await admin.press("Tab")
    await admin.until("document.activeElement.matches('#list li:first-child a')")
    await admin.press("ArrowDown")
    await admin.until("document.activeElement.matches('#list li:nth-child(2) a')")
    await admin.press("Tab")
    await admin.until("document.activeElement.closest('#list') === null")


async def test_the_first_tab_stop_is_the_skip_link_to_the_box(place: Place) -> None:
    admin = await several(place, 1)
    await admin.click("#list a", "from user0")
    await admin.until("document.activeElement.id === 'box'")
    await admin.evaluate("document.activeElement.blur()")
    await admin.reload()
    await admin.see("#thread-name", "user0")
    await admin.evaluate("document.getElementById('skip').focus()")
    assert await admin.evaluate("document.querySelector('button, a, input') === document.activeElement")
    await admin.press("Enter")
    await admin.until("document.activeElement.id === 'box'")


async def test_touch_targets_are_large_enough_and_the_box_does_not_zoom(place: Place) -> None:
    """44 px (Apple, WCAG 2.5.5); iOS zooms into a field with text below 16 px."""
    admin, ana = await several(place, 1), await place.enter("/chatd/panel", "eva", "user")
    await ana.see("#box")
    await admin.click("#list a", "from user0")
    await admin.see(".bubble")
    for window in (admin, ana):
        assert await window.evaluate(SMALL) == []
        size = await window.evaluate("parseFloat(getComputedStyle(document.getElementById('box')).fontSize)")
        assert size >= 16


async def test_forced_colours_show_the_open_row_and_the_tab(place: Place) -> None:
    admin = await several(place, 2)
    await admin.click("#list a", "from user0")
    await admin.see(".bubble")
    await admin.force_colours()
    outline = "getComputedStyle(document.querySelector('{}')).outlineStyle"
    assert await admin.evaluate(outline.format("#list a[aria-current]")) == "solid"
    assert await admin.evaluate(outline.format("#list a:not([aria-current])")) == "none"
    assert await admin.evaluate(outline.format(".tabs a[aria-current]")) == "solid"


async def test_a_cut_name_has_a_tooltip(place: Place) -> None:
    admin, name = await place.admin(), "n" * 120
    user = await place.user(name)
    await user.say("hola")
    await admin.click("#list a", name)
    await admin.see("#thread-name", name)
    for where in ("#list .name", "#thread-name"):
        assert name in await admin.evaluate(f"document.querySelector('{where}').title")
    assert await admin.evaluate("document.getElementById('whoami').title") == "Root · root"
