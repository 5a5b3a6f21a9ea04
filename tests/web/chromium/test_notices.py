"""Notifications of the desktop are there for whoever wants them."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place

PRESSED: Final = "document.getElementById('notify').getAttribute('aria-pressed')"
HEARD: Final = "document.getElementById('announcer').textContent"


async def test_notifications_can_be_switched_off_and_on_again(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.grant("notifications")
    await admin.reload()
    await admin.until(f"{PRESSED} === 'true'")
    await admin.evaluate("""(() => { window.shown = []; Object.defineProperty(document, "hidden", { get: () => true });
      window.Notification = class extends EventTarget { static permission = "granted";
        static async requestPermission() { return "granted"; }
        constructor(title, options) { super(); window.shown.push(options.body); } close() {} }; })()""")
    await admin.click("#notify")
    await admin.until(f"{PRESSED} === 'false'")
    await ana.say("unheard")
    await admin.until(f"{HEARD}.includes('unheard')")
    await admin.click("#notify")
    await admin.until(f"{PRESSED} === 'true'")
    await ana.say("heard again")
    await admin.until(f"{HEARD}.includes('heard again')")
    assert await admin.evaluate("window.shown") == ["heard again"]


async def test_that_they_are_off_outlives_the_page(place: Place) -> None:
    admin = await place.admin()
    await admin.grant("notifications")
    await admin.reload()
    await admin.until(f"{PRESSED} === 'true'")
    await admin.click("#notify")
    await admin.until(f"{PRESSED} === 'false'")
    await admin.reload()
    await admin.see("#whoami", "root")
    assert await admin.evaluate(PRESSED) == "false"
    await admin.click("#notify")
    await admin.until(f"{PRESSED} === 'true'")


async def test_where_the_browser_blocks_them_a_press_says_so(place: Place) -> None:
    admin = await place.admin()
    await admin.evaluate("""window.Notification = class { static permission = "denied";
      static async requestPermission() { return "denied"; } }; 0""")
    await admin.click("#notify")
    await admin.see("#notify-denied[role=status]", "The browser blocks notifications of this page.")
    assert await admin.evaluate(PRESSED) == "false"
