"""Messages that the server refuses: the page shows why, and offers to discard them or to send them again."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place

NOBODY = "#/with/" + "x" * 300


async def test_a_permanent_refusal_shows_why_and_can_be_discarded(place: Place) -> None:
    admin = await place.admin()
    await admin.go(f"{place.url}/chatd/{NOBODY}")
    await admin.say("hello?")
    await admin.see(".mine[data-fate=failed] .meta", "No user has such a name.")
    await admin.gone(".retry")
    await admin.reload()
    await admin.see(".mine[data-fate=failed] .meta", "No user has such a name.")
    await admin.click(".discard")
    await admin.gone(".mine")
    assert await admin.evaluate("document.activeElement.id") == "box"
    await admin.reload()
    await admin.see("#list li")
    assert await admin.texts(".mine") == []


async def test_a_refusal_without_a_translation_is_shown_in_the_servers_words(place: Place) -> None:
    admin, _ = await place.admin(), await place.user("ana")
    await admin.click("#list a", "ana")
    await admin.see("#thread-name", "ana")
    await admin.evaluate(r"""document.getElementById("box").value = "half \ud83d";
      document.getElementById("composer").requestSubmit()""")
    await admin.see(".mine[data-fate=failed] .meta", "Not sent. mensaje holds half a surrogate pair")


@pytest.mark.parametrize("flags", [["--console", "--message-rate", "1", "--message-burst", "6"]])
async def test_a_refusal_is_announced_and_its_button_leaves_the_focus_in_the_box(place: Place) -> None:
    admin, _ = await place.admin(), await place.user("ana")
    await admin.click("#list a", "ana")
    await admin.see("#thread-name", "ana")
    await admin.evaluate("""(() => { for (let number = 0; number < 8; number++) {
      document.getElementById("box").value = `message ${number}`;
      document.getElementById("composer").requestSubmit(); } })()""")
    await admin.see(".mine[data-fate=failed]", "Too many messages at once.")
    await admin.until("document.getElementById('announcer').textContent === 'Not sent: Too many messages at once.'")
    await admin.click(".retry")
    assert await admin.evaluate("document.activeElement.id") == "box"
