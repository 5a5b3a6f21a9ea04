"""Desktop notifications and sound, which the reader can switch off."""

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


async def test_the_choice_survives_the_page(place: Place) -> None:
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


async def test_a_press_explains_that_the_browser_blocks_them(place: Place) -> None:
    admin = await place.admin()
    await admin.evaluate("""window.Notification = class { static permission = "denied";
      static async requestPermission() { return "denied"; } }; 0""")
    await admin.click("#notify")
    await admin.see("#notify-denied[role=status]", "The browser blocks notifications of this page.")
    assert await admin.evaluate(PRESSED) == "false"


async def test_a_visible_window_without_the_focus_gets_notifications_too(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.evaluate("""(() => { window.shown = [];
      window.Notification = class extends EventTarget { static permission = "granted";
        constructor(title, options) { super(); window.shown.push(options.body); } close() {} }; })()""")
    await ana.say("while it has the focus")
    await admin.see("#list a", "while it has the focus")
    await admin.evaluate("document.hasFocus = () => false; 0")
    await ana.say("while it has not")
    await admin.until(f"{HEARD}.includes('while it has not')")
    assert await admin.evaluate("window.shown") == ["while it has not"]


async def test_a_sound_can_be_switched_on(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.evaluate("""(() => { window.notes = []; const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (at) {
        notes.push(this.frequency.value); start.call(this, at); }; })()""")
    await ana.say("without a sound")
    await admin.see("#list a", "without a sound")
    assert await admin.evaluate("notes") == []
    await admin.click("#sound")
    await admin.until("notes.length === 2")  # what it sounds like
    await ana.say("with one")
    await admin.until("notes.length === 4")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "with one")
    await ana.say("into the open thread")
    await admin.see(".bubble", "into the open thread")
    assert await admin.evaluate("notes.length") == 4
    await admin.reload()
    await admin.see("#sound[aria-pressed=true]")
