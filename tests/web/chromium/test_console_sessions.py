"""A session that ends while the console is open."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.chat.people import token
from tests.interop.processes import set_clock
from tests.web.chromium.axe import violations
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.chromium.window import Window

BOX: Final = "document.getElementById('box').value"


TTL_S: Final = 1_200.0  # less than that of other people's tokens


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


async def expired(place: Place, clock_file: Path) -> Window:
    """The console of an admin whose session ended with a draft to ana in the box."""
    root = await place.window()
    await root.cookie(place.url, "token", token("root", "admin", ttl_s=TTL_S))
    await root.go(f"{place.url}/chatd/#/with/ana")
    await root.see("#thread-name", "ana")
    await root.write("#box", "half a sent")
    set_clock(place.server, clock_file, 2 * int(TTL_S))
    await root.see("#closed[role=alert]", "The session has expired.")
    await root.until("document.activeElement.id === 'closed-title'")
    return root


async def test_the_draft_is_kept_over_a_new_login(place: Place, clock_file: Path) -> None:
    ana = await place.user()
    root = await expired(place, clock_file)
    await root.cookie(place.url, "token", token("root", "admin"))
    await root.click("#closed-retry")
    await root.gone("#closed")
    await root.until("document.activeElement.id === 'box'")
    await root.type("ence")
    await root.press("Enter")
    await ana.see(".bubble", "half a sentence")


async def test_loaded_messages_stay_visible_until_a_login(place: Place, clock_file: Path) -> None:
    ana = await place.user()
    await ana.say("what I wrote")
    root = await expired(place, clock_file)
    await root.see(".bubble", "what I wrote")
    await root.see("#list a", "ana")
    await root.see("#closed-retry")
    assert await root.evaluate(BOX) == "half a sent"


@pytest.mark.parametrize("flags", [[*FLAGS, "--login-url", "/login?next=/chatd/"]])
async def test_the_banner_of_an_ended_session_links_to_the_login(place: Place, clock_file: Path) -> None:
    """The link opens a new tab; the console reconnects when the admin returns to it."""
    ana = await place.user()
    await ana.say("what I wrote")
    root = await expired(place, clock_file)
    await root.see("#closed-login", "Log in")
    link = "document.getElementById('closed-login')"
    assert await root.evaluate(f"[{link}.href, {link}.target]") == [f"{place.url}/login?next=/chatd/", "_blank"]
    await root.see(".bubble", "what I wrote")
    assert await violations(root) == []
    await root.cookie(place.url, "token", token("root", "admin"))
    await root.evaluate("window.dispatchEvent(new Event('focus')); 0")
    await root.gone("#closed-login")


async def test_without_that_setting_there_is_no_such_link(place: Place, clock_file: Path) -> None:
    root = await expired(place, clock_file)
    await root.gone("#closed-login")


async def test_another_admin_who_logs_in_sees_none_of_it(place: Place, clock_file: Path) -> None:
    root = await expired(place, clock_file)
    await root.cookie(place.url, "token", token("boss", "admin"))
    await root.evaluate("window.roots = true")
    await root.click("#closed-retry")
    await root.until("!window.roots")
    await root.see("#whoami", "boss")
    await root.see("#thread-name", "ana")
    assert await root.evaluate(BOX) == ""


async def test_a_draft_over_the_limit_is_kept_whole(place: Place) -> None:
    admin = await place.admin()
    await admin.evaluate("location.hash = '#/with/ana'")
    await admin.write("#box", "y" * 12_000)
    assert await admin.evaluate(f"{BOX}.length") == 12_000
    await admin.see("#excess", "2,000 characters too many")
