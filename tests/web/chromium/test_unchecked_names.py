"""A message to a typed name waits until the server has told whether a user of that name was ever here."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import FLAGS, Place
from tests.web.chromium.test_two_windows import AWAY
from tests.web.chromium.window import Window


@pytest.fixture
def flags() -> list[str]:
    return [*FLAGS, "--presence-grace", "0.1"]


async def send_at_once(admin: Window, name: str) -> list[str]:
    """Open the thread and send in the same task, before any answer can arrive. Returns the messages shown then."""
    shown: list[str] = await admin.evaluate(f"""new Promise((sent) => {{
      addEventListener("hashchange", () => {{
        const box = document.getElementById("box");
        box.value = "hello?";
        box.dispatchEvent(new Event("input"));
        box.form.requestSubmit();
        sent([...document.querySelectorAll("#messages .mine")].map((one) => one.textContent));
      }}, {{ once: true }});
      location.hash = "#/with/{name}"; }})""")
    return shown


async def test_an_unknown_name_is_asked_about_although_the_answer_comes_after_enter(place: Place) -> None:
    """D-16"""
    admin = await place.admin()
    await send_at_once(admin, "nobody")
    await admin.see(".ask-first", "Nobody called nobody was ever here.")
    assert await admin.texts(".mine") == []
    await admin.click(".ask-first button", "Send anyway")
    await admin.see(".mine[data-mark^=stored]", "hello?")


async def test_a_known_name_gets_the_message_when_the_server_has_answered(place: Place) -> None:
    """D-16"""
    admin, ana = await place.admin(), await place.user()
    await admin.see("#list a", "ana")
    await ana.go("about:blank")
    await admin.gone("#list a", "ana")
    assert await send_at_once(admin, "ana") == []
    await admin.see(".mine[data-mark^=stored]", "hello?")
    assert await admin.texts(".ask-first") == []


async def test_without_an_answer_the_console_asks(place: Place) -> None:
    """D-16"""
    admin = await place.admin()
    admin.allowed.update(AWAY)
    with place.server.suspended():
        await send_at_once(admin, "nobody")
        await admin.see(".ask-first", "The server has not told whether nobody was ever here.")
        await admin.click(".ask-first button", "Do not send")
    await admin.see("#thread-presence", "Nobody called nobody was ever here.")
    assert await admin.evaluate("document.getElementById('box').value") == "hello?"
    assert await admin.texts(".mine") == []


async def test_a_text_that_is_changed_while_it_waits_is_not_sent(place: Place) -> None:
    """D-16"""
    admin = await place.admin()
    admin.allowed.update(AWAY)
    with place.server.suspended():
        await send_at_once(admin, "nobody")
        await admin.type(" or not")
    await admin.see("#thread-presence", "Nobody called nobody was ever here.")
    await admin.drawn()
    assert await admin.texts(".ask-first") == []
    assert await admin.evaluate("document.getElementById('box').value") == "hello? or not"
