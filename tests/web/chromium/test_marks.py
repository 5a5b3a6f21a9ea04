"""The marks for delivered and read differ in shape and tooltip."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place

MARK: Final = "document.querySelector('.mine .meta .icon')"
DRAWN: Final = f"[{MARK}.querySelector('path').getAttribute('d'), getComputedStyle({MARK}.querySelector('path')).fill]"


async def test_read_does_not_look_like_delivered(place: Place) -> None:
    admin, ana = await place.admin(), await place.enter("/chatd/demo", "ana", "user")
    await admin.click("#list a", "ana")
    await admin.say("are you there?")
    await admin.see(".mine[data-mark^='stored delivered']", "are you there?")
    delivered = await admin.evaluate(DRAWN)
    assert await admin.evaluate(f"{MARK}.querySelector('title').textContent") == "Delivered"
    await ana.click("button")
    await admin.see(".mine[data-mark^=read]", "are you there?")
    read = await admin.evaluate(DRAWN)
    assert await admin.evaluate(f"{MARK}.querySelector('title').textContent") == "Read"
    assert read[0] != delivered[0]
    assert (read[1] == "none", delivered[1]) == (False, "none")
