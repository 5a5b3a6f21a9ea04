"""The widget when its session ends, and for users of another role."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.chat.people import token
from tests.interop.processes import set_clock
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.chromium.window import PANEL, Window

IN_PANEL = f"{PANEL}.document"


TTL_S: Final = 1_200.0  # less than that of other people's tokens


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


async def expired(place: Place, clock_file: Path) -> Window:
    """The widget of a user whose session ended with a draft in the box."""
    ana = await place.window()
    await ana.cookie(place.url, "token", token("ana", "user", ttl_s=TTL_S))
    await ana.go(f"{place.url}/chatd/demo")
    await ana.click("button")
    await ana.see("#messages li:not(.notLoaded)")
    await ana.write("#box", "half a sent")
    set_clock(place.server, clock_file, 2 * int(TTL_S))
    await ana.see("#closed[role=alert]", "The session has expired.")
    return ana


async def log_in(place: Place, window: Window, user: str) -> None:
    await window.cookie(place.url, "token", token(user, "user"))


async def test_a_new_login_restores_the_session_with_its_draft(place: Place, clock_file: Path) -> None:
    ana = await expired(place, clock_file)
    await ana.until(f"{IN_PANEL}.activeElement.id === 'closed-title'")
    await log_in(place, ana, "ana")
    await ana.click("#closed-retry")
    await ana.gone("#closed")
    await ana.until(f"{IN_PANEL}.activeElement.id === 'box'")
    await ana.type("ence")
    await ana.press("Enter")
    await ana.see(".mine[data-mark^=stored]", "half a sentence")


@pytest.mark.parametrize("flags", [[*FLAGS, "--login-url", "https://example.com/login"]])
async def test_loaded_messages_stay_visible_until_a_login_by_the_link(place: Place, clock_file: Path) -> None:
    before = await place.user()
    await before.say("what I asked")
    await before.see(".mine[data-mark^=stored]", "what I asked")
    ana = await expired(place, clock_file)
    await ana.see("#closed-login", "Log in")
    await ana.see(".bubble", "what I asked")
    assert await ana.evaluate(f"{IN_PANEL}.getElementById('closed-login').href") == "https://example.com/login"
    await log_in(place, ana, "ana")
    await ana.click("#closed-retry")
    await ana.gone("#closed")


async def test_a_login_in_another_tab_reconnects_the_page(place: Place, clock_file: Path) -> None:
    ana = await expired(place, clock_file)
    await log_in(place, ana, "ana")
    await ana.evaluate(f"{PANEL}.dispatchEvent(new Event('focus')); 0")
    await ana.gone("#closed")
    assert await ana.evaluate(f"{IN_PANEL}.getElementById('box').value") == "half a sent"


async def test_another_user_who_logs_in_sees_none_of_it(place: Place, clock_file: Path) -> None:
    ana = await expired(place, clock_file)
    await log_in(place, ana, "bob")
    await ana.evaluate(f"{PANEL}.anas = true")
    await ana.click("#closed-retry")
    await ana.until(f"!{PANEL}.anas")
    await ana.see("#messages li:not(.notLoaded)")
    assert await ana.evaluate(f"{IN_PANEL}.getElementById('box').value") == ""


async def test_an_admin_is_told_that_the_widget_is_for_users(place: Place) -> None:
    root = await place.enter("/chatd/demo", "root", "admin")
    await root.click("button")
    await root.see("#closed", "You are root, an admin.")
    await root.see("#closed a", "Open the console")
    await root.gone("#box")
    await root.gone("#closed-retry")
