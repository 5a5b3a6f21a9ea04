"""What the row of a conversation says of it."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place


@pytest.mark.parametrize("flags", [["--console", "--message-rate", "1", "--message-burst", "8"]])
async def test_it_says_that_something_was_not_sent(place: Place) -> None:
    admin = await place.admin()
    await admin.evaluate("location.hash = '#/with/ana'")
    await admin.see("#thread-name", "ana")
    await admin.evaluate("""(() => { for (let number = 0; number < 9; number++) {
      document.getElementById("box").value = `message ${number}`;
      document.getElementById("composer").requestSubmit(); } })()""")
    await admin.see("#list li .failed", "Not sent")
    await admin.evaluate("location.hash = '#/'")
    await admin.gone("#thread-name")
    await admin.see("#list li .failed", "Not sent")
