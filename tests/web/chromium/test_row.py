"""The row of a conversation in the list."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place


@pytest.mark.parametrize("flags", [["--console", "--message-rate", "1", "--message-burst", "8"]])
async def test_it_shows_that_a_message_was_not_sent(place: Place) -> None:
    admin, _ = await place.admin(), await place.user("ana")
    await admin.click("#list a", "ana")
    await admin.see("#thread-name", "ana")
    await admin.evaluate("""(() => { for (let number = 0; number < 9; number++) {
      document.getElementById("box").value = `message ${number}`;
      document.getElementById("composer").requestSubmit(); } })()""")
    await admin.see("#list li .failed", "Not sent")
    await admin.evaluate("location.hash = '#/'")
    await admin.gone("#thread-name")
    await admin.see("#list li .failed", "Not sent")
