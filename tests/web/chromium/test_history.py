"""History in the console: a reload, other admins, pages."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.test_two_windows import AWAY
from tests.web.chromium.window import Window, with_socket


async def test_a_reload_keeps_the_history(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    for text in ("one", "two", "three"):
        await ana.say(text)
        await ana.see(".mine[data-mark]:not([data-mark^=sending])", text)
    await admin.click("#list a", "ana")
    await admin.say("four")
    await ana.see(".bubble", "four")
    for window in (admin, ana):
        await window.reload()
    for window in (admin, ana):
        await window.see(".bubble", "four")
        assert await window.texts(".bubble") == ["one", "two", "three", "four"]
    assert len(await admin.texts(".mine")) == 1
    assert len(await ana.texts(".mine")) == 3
    await admin.see("#list a", "ana")


async def write_lines(ana: Window) -> None:
    """Send 130 messages of ana on a separate socket."""
    await ana.evaluate(
        with_socket("""
      for (let n = 0; n < 130; n++) {
        for (;;) {
          try { await socket.ask("mensaje_privado", { para: "soporte", mensaje: `line ${n}`, cid: `n-${n}` }); break; }
          catch (error) { await new Promise((again) => setTimeout(again, 200)); }
        }
      }
      socket.stop();
    """)
        + ".then(() => (window.written = true)); 0"
    )
    await ana.until("window.written")


async def scroll_to_the_beginning(admin: Window) -> None:
    for _ in range(10):
        if (await admin.texts(".bubble"))[0] == "line 0":
            break
        before = len(await admin.texts(".bubble"))
        await admin.evaluate("document.getElementById('messages').scrollTop = 0")
        await admin.until(f"document.querySelectorAll('.bubble').length > {before}")


async def test_scrolling_up_loads_older_messages(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await write_lines(ana)
    await admin.reload()
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "line 129")
    assert 0 < len(await admin.texts(".bubble")) < 130
    await scroll_to_the_beginning(admin)
    assert await admin.texts(".bubble") == [f"line {number}" for number in range(130)]
    await admin.see(".note", "begins")


async def test_private_messages_of_another_admin_are_not_shown(place: Place) -> None:
    root, boss, ana = await place.admin(), await place.admin("boss"), await place.user()
    await ana.say("hola a todos")
    for admin in (root, boss):
        await admin.click("#list a", "ana")
        await admin.see(".bubble", "hola a todos")
    await root.say("only for ana")
    await ana.see(".bubble", "only for ana")
    await ana.say("gracias root")
    await boss.see(".bubble", "gracias root")
    await boss.reload()
    await boss.see(".bubble", "gracias root")
    assert await boss.texts(".bubble") == ["hola a todos", "gracias root"]
    assert await root.texts(".bubble") == ["hola a todos", "only for ana", "gracias root"]


@pytest.mark.parametrize("flags", [["--console", "--commit-delay", "1000"]])
async def test_a_thread_that_is_opened_before_its_message_is_stored_shows_it(place: Place) -> None:
    """C-72: the message has no id, and history lacks it for a second."""
    admin, ana = await place.admin(), await place.user()
    await ana.evaluate(with_socket("socket.tell('mensaje_privado', { para: 'soporte', mensaje: 'at once' });") + "; 0")
    await admin.see("#list a", "at once")
    await admin.click("#list a", "at once")
    await admin.see(".bubble", "at once")
    assert await admin.texts(".bubble") == ["at once"]


@pytest.mark.parametrize("flags", [["--console"]])
async def test_it_works_with_the_default_settings_too(place: Place) -> None:
    """`mensaje_recibido` is `{de, mensaje}` then: id and date are read from history."""
    admin, ana = await place.admin(), await place.user()
    await ana.say("hola")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "hola")
    await ana.say("sigo aquí")
    await admin.see(".bubble", "sigo aquí")
    await admin.say("y yo")
    await ana.see(".bubble", "y yo")
    assert await admin.texts(".bubble") == await ana.texts(".bubble") == ["hola", "sigo aquí", "y yo"]


async def test_a_message_can_be_sent_to_any_name_after_a_confirmation(place: Place) -> None:
    """C-45: nobody of that name was ever here."""
    admin = await place.admin()
    await admin.write("#search", "somebody new")
    await admin.see("#list a", "Write to somebody new")
    await admin.press("Enter")
    await admin.see("#thread-presence", "Nobody called somebody new was ever here.")
    await admin.say("hello?")
    await admin.see(".ask-first", "Nobody called somebody new was ever here.")
    assert await admin.texts(".mine") == []
    await admin.click(".ask-first button", "Send anyway")
    await admin.see(".mine[data-mark^=stored]", "hello?")
    late = await place.user("somebody new")
    await late.see(".bubble", "hello?")


@pytest.mark.parametrize("flags", [["--console"]])
async def test_a_thread_that_was_not_open_has_no_gap_after_a_restart(place: Place) -> None:
    admin, ana, eva = await place.admin(), await place.user("ana"), await place.user("eva")
    for window in (admin, ana, eva):
        window.allowed.update(AWAY)
    await ana.say("one")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "one")
    await eva.say("other")
    await admin.click("#list a", "eva")
    await admin.see(".bubble", "other")
    place.server.stop()
    await admin.see("#banner", "Trying again")
    place.server.start()
    for window in (ana, eva):
        await window.gone("#banner", "Trying again")
    await ana.say("two")
    await ana.see(".mine[data-mark^=stored]", "two")
    await admin.gone("#banner", "Trying again")
    await ana.say("three")
    await ana.see(".mine[data-mark^=stored]", "three")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "three")
    assert await admin.texts(".bubble") == ["one", "two", "three"]


async def test_unread_counts_come_from_the_server(place: Place) -> None:
    ana = await place.user()
    for text in ("one", "two", "three"):
        await ana.say(text)
        await ana.see(".mine[data-mark^=stored]", text)
    admin = await place.admin()
    await admin.see("#list .badge", "3")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "three")
    await ana.see(".mine[data-mark^=read]", "three")
    await admin.reload()
    await admin.see(".bubble", "three")
    await admin.gone("#list .badge")


async def test_a_message_to_oneself_is_not_shown_as_delivered(place: Place) -> None:
    admin = await place.admin()
    await admin.go(f"{place.url}/chatd/#/with/root")
    await admin.see("#thread-name", "Root")
    await admin.say("milk")
    await admin.see(".mine[data-mark='stored ']", "milk")
    await place.user()
    await admin.see("#list a", "ana")
    assert not await admin.texts(".mine[data-mark*=delivered]")


async def test_screen_reader_text_does_not_lengthen_the_page(place: Place) -> None:
    ana = await place.user()
    for number in range(3):
        await ana.say("a long line\n" * 30 + str(number))
        await ana.see(".mine[data-mark]:not([data-mark^=sending])", str(number))
    phone = await place.admin(size=(390, 844), phone=True)
    await phone.click("#list a", "ana")
    await phone.see(".bubble", "2")
    page = "document.documentElement"
    assert await phone.evaluate(f"[{page}.scrollWidth, {page}.scrollHeight]") == [390, 844]
    assert await phone.evaluate("thread.scrollHeight - thread.clientHeight") == 0


async def test_a_long_thread_is_not_redrawn_for_a_message_and_is_trimmed_when_left(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await write_lines(ana)
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "line 129")
    await scroll_to_the_beginning(admin)
    await admin.evaluate("""(() => { window.touched = new Set();
      const note = (changes) => changes.forEach(({ target }) => target.id === "messages" || touched.add(target));
      new MutationObserver(note).observe(messages, { subtree: true, childList: true, attributes: true }); })()""")
    await ana.say("one more")
    await admin.see(".bubble", "one more")
    assert await admin.evaluate("touched.size") <= 2
    await admin.evaluate("location.hash = '#/with/eva'")
    await admin.see("#thread-name", "eva")
    await admin.evaluate("location.hash = '#/with/ana'")
    await admin.see(".bubble", "one more")
    assert len(await admin.texts(".bubble")) < 130
    await scroll_to_the_beginning(admin)
    assert await admin.texts(".bubble") == [*(f"line {number}" for number in range(130)), "one more"]
