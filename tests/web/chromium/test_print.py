"""Printing a thread, checked by the browser's PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pypdf
import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.chromium.window import Window
from tests.web.imported import question, serving_imported

MOST_PRINTED: Final = 2_000
LENGTHS: Final = {"ana": MOST_PRINTED + 50, "luis": 450}  # the page holds at most 400
FIRST_IN_SIGHT: Final = """[...messages.querySelectorAll(".message")].find(
  (row) => row.offsetTop + row.offsetHeight > messages.scrollTop).querySelector(".bubble").textContent"""
WROTE_AT: Final = 1_767_268_800_000
STEP_MS: Final = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    lines = (
        question(user, f"line {n}.", WROTE_AT + n * STEP_MS + place)
        for place, (user, length) in enumerate(LENGTHS.items())
        for n in range(length)
    )
    with serving_imported(tmp_path, lines, *FLAGS) as started:
        yield started


async def opened(place: Place, user: str) -> Window:
    """The thread of `user`. The dialog for printing, which nobody could close here, is only noted: `asked`."""
    admin = await place.admin()
    await admin.evaluate("void (window.print = () => (window.asked = true))")
    await admin.click("#list a", user)
    await admin.see(".bubble", f"line {LENGTHS[user] - 1}.")
    return admin


async def paper_of(admin: Window) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(await admin.printed())).pages]


def lines_of(paper: list[str]) -> list[str]:
    return re.findall(r"line \d+\.", "\n".join(paper))


def words_of(paper: list[str]) -> str:
    return " ".join("\n".join(paper).split())


def missing(printed: int) -> str:
    return f"Messages are missing here: {printed} are printed. The print button of the console prints the last 2000."


def lines_from(first: int, user: str) -> list[str]:
    return [f"line {n}." for n in range(first, LENGTHS[user])]


async def test_the_button_prints_the_whole_thread_and_nothing_beside_it(place: Place) -> None:
    admin = await opened(place, "luis")
    await admin.evaluate("messages.scrollTop = messages.scrollHeight / 2")
    await admin.drawn()
    above = await admin.evaluate(FIRST_IN_SIGHT)
    await admin.click("#print")
    await admin.until("window.asked === true")
    paper = await paper_of(admin)
    assert lines_of(paper) == lines_from(0, "luis")
    assert len(paper) > 3
    assert "luis" in paper[0]
    for beside in ("Conversations", "Write a message", "missing"):
        assert beside not in "\n".join(paper)
    await admin.until("messages.querySelectorAll('.message').length <= 400")
    assert await admin.evaluate(FIRST_IN_SIGHT) == above


async def test_a_thread_that_is_too_long_is_cut_and_the_paper_says_so(place: Place) -> None:
    admin = await opened(place, "ana")
    await admin.press("Control+p")
    await admin.until("window.asked === true")
    paper = await paper_of(admin)
    assert lines_of(paper) == lines_from(LENGTHS["ana"] - MOST_PRINTED, "ana")
    assert missing(MOST_PRINTED) in words_of(paper)
    await admin.until("messages.querySelectorAll('.message').length <= 400")
    await (await place.user("ana")).say("one more")
    await admin.see(".bubble", "one more")


async def test_the_browsers_own_menu_prints_what_is_loaded_and_the_paper_says_so(place: Place) -> None:
    admin = await opened(place, "ana")
    paper = await paper_of(admin)
    loaded = len(lines_of(paper))
    assert 0 < loaded < MOST_PRINTED
    assert lines_of(paper) == lines_from(LENGTHS["ana"] - loaded, "ana")
    assert missing(loaded) in words_of(paper)


async def test_the_browsers_own_menu_in_the_middle_of_a_thread_says_so_at_both_ends(place: Place) -> None:
    admin = await opened(place, "ana")
    await admin.evaluate("""(() => {
      document.querySelector("#to-date").value = "2026-01-02";
      document.querySelector("#to-date").dispatchEvent(new Event("change")); })()""")
    await admin.gone(".bubble", f"line {LENGTHS['ana'] - 1}.")
    await admin.see(".bubble", "line 720.")
    paper = await paper_of(admin)
    loaded = len(lines_of(paper))
    assert words_of(paper).count(missing(loaded)) == 2
    await admin.gone(".cut")  # on paper alone
