"""axe finds no violations in the pages."""

from __future__ import annotations

import pytest

from tests.web.chromium.axe import violations
from tests.web.chromium.conftest import Place


@pytest.mark.parametrize("dark", [False, True])
async def test_the_console_has_no_violations(place: Place, *, dark: bool) -> None:
    admin, ana = await place.admin(dark=dark), await place.user()
    await ana.say("see `this` at https://shop.example/a")
    await admin.see("#list a", "see")
    assert await violations(admin) == []
    await admin.click("#list a", "ana")
    await admin.see(".bubble a", "https://shop.example/a")
    assert await violations(admin) == []
    await admin.click("#tab-live")
    await admin.see("#who a", "ana")
    assert await violations(admin) == []


async def test_a_page_without_a_session_has_no_violations(place: Place) -> None:
    nobody = await place.window()
    for path in ("/chatd/", "/chatd/panel?login=https://shop.example/"):
        await nobody.go(place.url + path)
        await nobody.see("#closed")
        assert await violations(nobody) == []


async def test_the_panel_has_no_violations(place: Place) -> None:
    ana = await place.enter("/chatd/panel", "ana", "user")
    await ana.say("hola")
    await ana.see(".mine[data-mark^=stored]")
    assert await violations(ana) == []
