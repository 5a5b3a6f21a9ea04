"""A team's console by touch, by keyboard, on narrow screens and in forced colours."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.web.chromium.axe import violations
from tests.web.chromium.conftest import Place
from tests.web.chromium.test_hands import SMALL
from tests.web.chromium.test_team import TEAM
from tests.web.chromium.window import Window

# Elements that reach beyond the right edge of the page, unless an ancestor cuts or scrolls them.
BEYOND: Final = """[...document.querySelectorAll("body *")].filter((one) => {
  if (!one.checkVisibility() || one.closest(".sr-only, .skip, svg")) return false;
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let up = one.parentElement; up && up !== document.body; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== "visible") return up.getBoundingClientRect().right > innerWidth + 1;
  return true; }).map((one) => one.outerHTML.slice(0, 120))"""

LONG: Final = "Maximiliana-Wilhelmina Featherstonehaugh-Cholmondeley de la Santísima Trinidad"


@pytest.fixture
def flags() -> list[str]:
    return ["--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--presence", "on", *TEAM]


async def working(place: Place, **look: Any) -> Window:
    """The thread of a user with a long name, who waits."""
    ana = await place.enter("/chatd/panel", "ana", "user", name=LONG)
    await ana.say("word " * 40 + "x" * 300)
    await ana.see(".mine[data-mark^=stored]")
    admin = await place.admin(**look)
    await admin.click("#list a", "word")
    await admin.see(".case", "Nobody is on it")
    await admin.see(".bubble", "word")
    return admin


async def open_everything(admin: Window) -> None:
    await admin.click(".notes summary")
    await admin.write(".notes textarea", "y" * 200)
    await admin.click(".notes button")
    await admin.see(".note-list li", "yyy")


async def test_touch_targets_of_a_team_are_large_enough(place: Place) -> None:
    """44 px (Apple, WCAG 2.5.5)"""
    admin = await working(place)
    await open_everything(admin)
    assert await admin.evaluate(SMALL) == []
    assert await admin.evaluate(SMALL.replace("button, select", "summary, button, select")) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_a_teams_console_has_no_violations(place: Place, *, dark: bool) -> None:
    admin = await working(place, dark=dark)
    await open_everything(admin)
    assert await violations(admin) == []
    await admin.write("#box", "/")
    await admin.press("Enter")
    await admin.see(".canned-editor")
    assert await violations(admin) == []


@pytest.mark.parametrize("size", [(320, 568), (320, 380), (590, 380)])
async def test_nothing_is_wider_than_a_narrow_screen(place: Place, size: tuple[int, int]) -> None:
    """320 px, and 1180 px at 200 %."""
    admin = await working(place, size=size)
    assert await admin.evaluate(BEYOND) == []
    assert await admin.evaluate("document.querySelector('#thread-name').clientWidth") >= 120
    assert await admin.evaluate("document.querySelector('#thread').scrollWidth <= innerWidth")
    await open_everything(admin)
    assert await admin.evaluate(BEYOND) == []
    await admin.click("#back")
    await admin.see("#list a", "word")
    assert await admin.evaluate(BEYOND) == []
    await admin.evaluate("location.hash = '#/live'")
    await admin.see("#live-title")
    assert await admin.evaluate(BEYOND) == []


async def test_the_thread_stays_visible_in_a_low_window(place: Place) -> None:
    """As at 200 %, with the notes open."""
    admin = await working(place, size=(590, 380))
    await open_everything(admin)
    assert await admin.evaluate("document.querySelector('#messages').clientHeight") >= 60


async def test_forced_colours_show_the_chosen_filter_and_the_state(place: Place) -> None:
    admin = await working(place)
    await admin.force_colours()
    await admin.click(".filters button", "Unclaimed")
    outline = "getComputedStyle(document.querySelector('.filters [aria-pressed={}]')).outlineStyle"
    assert await admin.evaluate(outline.format("true")) == "solid"
    assert await admin.evaluate(outline.format("false")) == "none"


async def test_a_team_works_by_keyboard_alone(place: Place) -> None:
    admin = await working(place)
    seen = []
    for _ in range(40):
        await admin.press("Tab")
        seen.append(await admin.evaluate("document.activeElement.className + '#' + document.activeElement.id"))
    assert any("claim" in one for one in seen), seen
    assert any("order" in one for one in seen), seen
    await admin.evaluate("document.querySelector('.case .claim').focus()")
    await admin.press("Enter")
    await admin.see(".case", "You are on it")
    await admin.until("document.activeElement.id === 'box'")
    await admin.evaluate("document.querySelector('.filters [data-filter=mias]').focus()")
    await admin.press("Enter")
    await admin.see("#list a", count=1)
    assert await admin.evaluate("document.activeElement.dataset.filter") == "mias"


async def test_the_long_name_of_a_colleague_widens_nothing(place: Place) -> None:
    """D-04"""
    colleague = "x" * 120
    admin = await working(place, size=(320, 568))
    other = await place.enter("/chatd/", "other", "admin", name=colleague)
    await other.click("#list a", "word")
    await other.click(".case button", "Claim")
    await open_everything(other)
    await admin.see(".case", f"{colleague} is on it")
    await admin.say("dime")
    await admin.see(".ask-first", colleague)
    await admin.click(".notes summary")
    await admin.see(".note-list .meta", colleague)
    assert await admin.evaluate(BEYOND) == []
