"""The console, apart from sending messages."""

from __future__ import annotations

import signal

from tests.web.chromium.conftest import Place
from tests.web.chromium.test_two_windows import AWAY


async def test_users_are_told_that_it_is_for_admins(place: Place) -> None:
    ana = await place.enter("/chatd/", "ana", "user")
    await ana.see("#closed", "This console is for admins.")
    await ana.see("#closed a", "Open the user's page")


async def test_without_a_session_it_shows_why(place: Place) -> None:
    nobody = await place.window()
    await nobody.go(place.url + "/chatd/")
    await nobody.see("#closed", "There is no session here.")


async def test_it_is_in_spanish_by_browser_language_and_by_choice(place: Place) -> None:
    maria = await place.admin("maria", language="es-MX")
    await maria.see(".tabs", "Conversaciones")
    assert await maria.evaluate("document.documentElement.lang") == "es"
    john = await place.admin("john")
    await john.see(".tabs", "Conversations")
    await john.evaluate("""(() => { const choice = document.getElementById("language"); choice.value = "es";
      choice.dispatchEvent(new Event("change")); })()""")
    await john.see(".tabs", "Conversaciones")
    await john.reload()
    await john.see(".tabs", "Conversaciones")


async def test_it_can_be_used_by_keyboard_alone(place: Place) -> None:
    admin, ana, eva = await place.admin(), await place.user("ana"), await place.user("eva")
    await ana.say("soy ana")
    await admin.see("#list a", "soy ana")
    await eva.say("soy eva")
    await admin.see("#list a", "soy eva")
    await admin.press("/")
    await admin.until("document.activeElement.id === 'search'")
    await admin.type("ana")
    await admin.see("#list li", count=1)
    await admin.press("Enter")
    await admin.see("#thread-name", "ana")
    await admin.until("document.activeElement.id === 'box'")
    await admin.type("two")
    await admin.press("Shift+Enter")
    await admin.type("lines")
    await admin.press("Enter")
    await ana.see(".bubble", "two\nlines")
    await admin.press("/")
    await admin.click("#search")
    await admin.press("Escape")
    await admin.see("#list li", count=2)
    await admin.press("Alt+ArrowDown")
    await admin.see("#thread-name", "eva")
    await admin.press("Alt+ArrowUp")
    await admin.see("#thread-name", "ana")
    await admin.press("Escape")
    await admin.until("document.activeElement.closest('#list') !== null")
    await admin.press("?")
    await admin.see("dialog", "previous or next conversation")
    await admin.press("Escape")
    await admin.gone("dialog", "previous")


async def test_presence_follows_connections(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.see("#list a", "ana")
    await admin.click("#list a", "ana")
    await admin.see("#thread-presence", "online")
    await ana.go("about:blank")
    await admin.see("#thread-presence", "last seen")


async def test_a_page_in_the_back_forward_cache_is_offline_and_misses_nothing(place: Place) -> None:
    """Chromium freezes a left page with its open WebSocket, and usually restores it on Back."""
    admin, ana = await place.admin(), await place.user()
    await ana.say("before")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "before")
    await ana.evaluate("window.kept = true")
    await ana.go("about:blank")
    await admin.see("#thread-presence", "last seen")
    await admin.say("meanwhile")
    await admin.see(".mine[data-mark^=stored]", "meanwhile")
    await ana.back()
    await ana.see(".bubble", "meanwhile")
    await admin.see("#thread-presence", "online")
    await ana.say("after")
    await admin.see(".bubble", "after")


async def test_no_presence_is_shown_without_a_connection(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    for window in (admin, ana):
        window.allowed.update(AWAY)
    await admin.click("#list a", "ana")
    await admin.see("#thread-presence", "online")
    place.server.stop(signal.SIGKILL)
    await admin.see("#banner", "No connection")
    assert await admin.texts("#thread-presence") in ([], [""])
    row = "getComputedStyle(document.querySelector('#list .presence')).visibility"
    await admin.until(f"{row} === 'hidden'")
    place.server.start()
    await admin.see("#thread-presence", "online")
    await admin.until(f"{row} === 'visible'")


async def test_an_invalid_address_shows_the_list(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.evaluate("location.hash = '#/with/%E0%A4%A'")
    await admin.reload()
    await admin.see("#list a", "ana")
    await admin.see("#empty", "Choose a conversation")
    await ana.say("hola")
    await admin.see("#list a", "hola")


async def test_the_label_of_the_box_names_the_addressee_in_each_language(place: Place) -> None:
    admin, _ = await place.admin(), await place.user()
    await admin.click("#list a", "ana")
    label = "document.querySelector('label[for=box]').textContent"
    await admin.until(f"{label} === 'Message to ana'")
    await admin.evaluate("""(() => { const choice = document.getElementById("language"); choice.value = "es";
      choice.dispatchEvent(new Event("change")); })()""")
    await admin.until(f"{label} === 'Mensaje para ana'")


async def test_new_messages_are_announced_to_screen_readers_and_as_notifications(place: Place) -> None:
    admin = await place.admin()
    ana = await place.user()
    await admin.evaluate("""(() => { window.shown = []; Object.defineProperty(document, "hidden", { get: () => true });
      window.Notification = class extends EventTarget { static permission = "granted";
        constructor(title, options) { super(); window.shown.push([title, options.body]); } close() {} }; })()""")
    await ana.say("¿hay alguien?")
    await admin.until("document.getElementById('announcer').textContent === 'ana says: ¿hay alguien?'")
    assert await admin.evaluate("window.shown") == [["ana", "¿hay alguien?"]]
    await admin.until("document.title === '(1) chatd'")


async def test_the_live_view_counts(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.click("#tab-live")
    await admin.see("#live-sockets", "2")
    await admin.see("#live-people", "2")
    await admin.see("#who a", "ana")
    await ana.say("tic")
    await admin.until("document.getElementById('live-rate').textContent !== '0.0'")
    await admin.see("#live-latency", "ms")
    await admin.see("#live-trip", "ms")
    assert await admin.evaluate("document.getElementById('nodes').hidden") is True
    assert await admin.evaluate("document.querySelector('#chart .line').getAttribute('d').split('L').length") == 119
    await admin.click("#who a", "ana")
    await admin.see("#thread-name", "ana")


async def test_every_control_has_a_name_and_text_has_enough_contrast(place: Place) -> None:
    """Names by the browser's accessibility tree; contrast by WCAG 2.2, at least 4.5."""
    for dark in (False, True):
        admin, ana = await place.admin(dark=dark), await place.user(dark=dark)
        await ana.say("hola")
        await admin.click("#list a", "ana")
        await admin.say("buenas")
        await ana.see(".bubble", "buenas")
        await admin.see("#list a", "buenas")
        for window in (admin, ana):
            assert await window.nameless_controls() == []
            assert await window.faint_texts() == []
        await admin.click("#tab-live")
        await admin.see("#who a", "ana")
        assert await admin.nameless_controls() == []
        assert await admin.faint_texts() == []


async def test_on_a_phone_it_shows_one_pane_at_a_time(place: Place) -> None:
    ana = await place.user()
    admin = await place.admin(size=(390, 780), phone=True)
    await ana.say("hola")
    await admin.click("#list a", "hola")
    await admin.gone("#search")
    await admin.see(".bubble", "hola")
    assert await admin.evaluate("document.documentElement.scrollWidth") == 390
    await admin.click("#back")
    await admin.see("#search")
