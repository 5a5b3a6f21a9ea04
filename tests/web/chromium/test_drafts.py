"""Drafts of the console: each belongs to one conversation until it is sent or removed."""

from __future__ import annotations

from typing import Final

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import Window

BOX: Final = "document.getElementById('box').value"


async def two_wrote(place: Place) -> tuple[Window, Window, Window]:
    admin, (ana, bob) = await place.admin(), await place.wrote("ana", "bob")
    await admin.see("#list a", "from ", count=2)
    return admin, ana, bob


async def look_at(admin: Window, user: str) -> None:
    await admin.click("#list a", user)
    await admin.see("#thread-name", user)


async def test_a_draft_to_one_user_is_never_sent_to_another(place: Place) -> None:
    admin, ana, bob = await two_wrote(place)
    await look_at(admin, "ana")
    await admin.write("#box", "for ana alone")
    await look_at(admin, "bob")
    assert await admin.evaluate(BOX) == ""
    await admin.press("Enter")
    await admin.write("#box", "for bob alone")
    await look_at(admin, "ana")
    assert await admin.evaluate(BOX) == "for ana alone"
    await admin.press("Enter")
    await ana.see(".bubble", "for ana alone")
    await look_at(admin, "bob")
    assert await admin.evaluate(BOX) == "for bob alone"
    await admin.press("Enter")
    await bob.see(".bubble", "for bob alone")
    assert await bob.texts(".bubble") == ["from bob", "for bob alone"]
    await look_at(admin, "ana")
    assert await admin.evaluate(BOX) == ""


async def test_restoring_a_draft_resizes_the_box_and_sends_no_typing(place: Place) -> None:
    admin, ana, _ = await two_wrote(place)
    height = "document.getElementById('box').clientHeight"
    await look_at(admin, "ana")
    low = await admin.evaluate(height)
    await admin.write("#box", "one")
    await admin.press("Shift+Enter")
    await admin.type("two")
    await ana.see("#typing", "writing")
    high = await admin.evaluate(height)
    await look_at(admin, "bob")
    await ana.gone("#typing", "writing")
    assert await admin.evaluate(height) == low
    await admin.evaluate("""(() => { window.told = []; const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (packet) { window.told.push(packet); send.call(this, packet); }; })()""")
    await look_at(admin, "ana")
    assert await admin.evaluate(height) == high
    assert not await admin.evaluate("window.told.some((packet) => packet.includes('escribiendo'))")
    await admin.evaluate("location.hash = '#/'")
    await admin.gone("#box")
    await look_at(admin, "ana")
    assert await admin.evaluate(BOX) == "one\ntwo"


async def test_drafts_survive_the_page(place: Place) -> None:
    admin, *_ = await two_wrote(place)
    await look_at(admin, "ana")
    await admin.write("#box", "half a draft")
    await look_at(admin, "bob")
    await admin.write("#box", "the other half")
    await admin.reload()
    await admin.see("#thread-name", "bob")
    await admin.until(f"{BOX} === 'the other half'")
    await look_at(admin, "ana")
    assert await admin.evaluate(BOX) == "half a draft"
    await admin.press("Enter")
    await admin.see(".bubble", "half a draft")
    await admin.reload()
    await admin.see(".bubble", "half a draft")
    assert await admin.evaluate(BOX) == ""
