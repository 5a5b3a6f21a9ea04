"""A message counts as read after one second on screen in a window with the focus."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place

LOOKED: Final = "new Promise((later) => setTimeout(() => later(performance.now()), 1500))"  # longer than that second


async def test_without_the_focus_nothing_is_read(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.evaluate("document.hasFocus = () => false; 0")
    await ana.say("hola")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "hola")
    await admin.evaluate(LOOKED)
    assert await admin.texts("#list .badge") == ["1  unread"]
    await ana.see(".mine[data-mark^=stored]")
    await admin.evaluate("delete document.hasFocus; window.dispatchEvent(new Event('focus')); 0")
    await admin.gone("#list .badge")
    await ana.see(".mine[data-mark^=read]", "hola")


async def test_stepping_through_conversations_marks_none_as_read(place: Place) -> None:
    admin = await place.admin()
    await place.wrote("ana", "bob", "eva")
    await admin.see("#list a", "from ", count=3)
    await admin.evaluate("""window.asked = []; const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (packet) { asked.push(packet); send.call(this, packet); }; 0""")
    # Three key presses within one second by the page's clock.
    await admin.evaluate("""(async () => {
      for (const user of ["eva", "bob", "ana"]) {
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", altKey: true, bubbles: true }));
        while (!location.hash.endsWith(user)) await new Promise((next) => setTimeout(next, 5));
      } })()""")
    await admin.see("#thread-name", "ana")
    await admin.until("document.querySelectorAll('#list .badge').length === 2")
    await admin.evaluate(LOOKED)
    assert await admin.evaluate("document.querySelectorAll('#list .badge').length") == 2
    read = await admin.evaluate("asked.filter((packet) => packet.includes('leido')).join()")
    assert "ana" in read
    assert "eva" not in read
    await admin.press("Alt+ArrowUp")
    await admin.see("#thread-name", "bob")
    await admin.until("document.querySelectorAll('#list .badge').length === 1")
