"""Messages without an id, which `--payload brief` pushes, in a thread whose end is not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window
from tests.web.imported import question, serving_imported

LENGTH: Final = 600
WROTE_AT: Final = 1_767_268_800_000
STEP_MS: Final = 600_000  # four days in all
LONGEST_SEARCH_MS: Final = 2_000  # the page looks for a message in the history for so long at most

# The page may draw a message out of place only within that time.
NOTE_TIME: Final = "void (window.pushedAt = performance.now())"
SEARCHED: Final = f"performance.now() - pushedAt > {LONGEST_SEARCH_MS}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    lines = (question("ana", f"line {n}.", WROTE_AT + n * STEP_MS) for n in range(LENGTH))
    with serving_imported(tmp_path, lines, "--console", "--payload", "brief") as started:
        yield started


async def far_up(place: Place) -> Window:
    """The thread of ana at its first day; its end is not loaded."""
    admin = await place.admin()
    await admin.click("#list a", "ana")
    await admin.see(".bubble", f"line {LENGTH - 1}.")
    await admin.evaluate("""(() => {
      document.querySelector("#to-date").value = "2026-01-01";
      document.querySelector("#to-date").dispatchEvent(new Event("change")); })()""")
    await admin.see(".bubble", "line 0.")
    await admin.gone(".bubble", f"line {LENGTH - 1}.")
    return admin


async def test_a_message_without_id_is_not_shown_before_what_is_not_loaded(place: Place) -> None:
    """C-72"""
    admin, ana = await far_up(place), await place.user("ana")
    await ana.say("over here")
    await admin.see("#list a", "over here")
    await admin.evaluate(NOTE_TIME)
    await admin.until(SEARCHED)
    assert await admin.texts(".bubble")  # the thread is drawn
    await admin.gone(".bubble", "over here")
    await admin.click(".jump")
    await admin.see(".bubble", "over here", count=1)
    assert (await admin.texts(".bubble"))[-2:] == [f"line {LENGTH - 1}.", "over here"]
    await ana.say("and here")
    await admin.see(".bubble", "and here", count=1)
    assert (await admin.texts(".bubble"))[-2:] == ["over here", "and here"]


async def test_scrolling_down_leads_to_it_once(place: Place) -> None:
    """C-72"""
    admin, ana = await far_up(place), await place.user("ana")
    await ana.say("over here")
    await admin.see("#list a", "over here")
    while "over here" not in await admin.texts(".bubble"):
        await admin.evaluate("messages.scrollTop = messages.scrollHeight")
        await admin.drawn()
    await ana.say("and here")
    await admin.see(".bubble", "and here", count=1)
    assert (await admin.texts(".bubble"))[-3:] == [f"line {LENGTH - 1}.", "over here", "and here"]
