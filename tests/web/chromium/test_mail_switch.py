"""Mail can be switched off and on in the console and in the widget, where the server sends any."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import FLAGS, Place


@pytest.fixture
def flags(request: pytest.FixtureRequest) -> list[str]:
    """With mail, unless a test says otherwise."""
    return [*FLAGS, *getattr(request, "param", ("--email-claim", "email"))]


async def test_an_admin_and_a_user_switch_mail_off_and_on(place: Place) -> None:
    """M-11: it outlives the page."""
    for window in (await place.admin(), await place.user()):
        await window.see("#mail[aria-pressed=true]")
        await window.click("#mail")
        await window.see("#mail[aria-pressed=false]")
        await window.reload()
        await window.see("#mail[aria-pressed=false]")
        await window.click("#mail")
        await window.see("#mail[aria-pressed=true]")


@pytest.mark.parametrize("flags", [()], indirect=True)
async def test_without_mail_there_is_no_switch(place: Place) -> None:
    """M-11"""
    admin, ana = await place.admin(), await place.user()
    await ana.say("hello")
    await admin.see("#list a", "hello")
    for window in (admin, ana):
        assert await window.texts("#mail") == []
