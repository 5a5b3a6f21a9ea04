"""The widget on another site's page."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.processes import Server
from tests.web.chromium.conftest import FLAGS, Place
from tests.web.chromium.window import PANEL
from tests.web.tab import PATIENCE_S


async def test_it_counts_messages_that_arrived_while_closed(place: Place) -> None:
    admin = await place.admin()
    ana = await place.enter("/chatd/demo", "ana", "user")
    await admin.see("#list a", "ana")
    await admin.click("#list a", "ana")
    for text in ("one", "two"):
        await admin.say(text)
        await admin.see(".mine[data-mark^=stored]", text)
    await ana.see("button span", "2")
    await admin.see(".mine[data-mark^=stored]", "two")
    await ana.click("button")
    await ana.see(".bubble", "two")
    await ana.gone("button span")
    await admin.see(".mine[data-mark^=read]", "two")


async def test_messages_that_arrived_while_closed_are_announced_without_text(place: Place) -> None:
    admin = await place.admin()
    ana = await place.enter("/chatd/demo", "ana", "user")
    await admin.click("#list a", "ana")
    await admin.say("for her eyes alone")
    await ana.see("[role=status]", "Unread in the chat: 1")
    await admin.say("and more")
    await ana.see("[role=status]", "Unread in the chat: 2")
    assert "eyes" not in "".join(await ana.texts("chatd-widget, p, button"))


@pytest.mark.parametrize("size", [(740, 300), (640, 360)])
async def test_a_low_window_has_room_for_the_box(place: Place, size: tuple[int, int]) -> None:
    ana = await place.user(size=size)
    await ana.say("one\ntwo\nthree")
    await ana.see(".mine[data-mark^=stored]")
    await ana.write("#box", "many words " * 40)
    bottom = f"{PANEL}.document.getElementById('composer').getBoundingClientRect().bottom"
    assert await ana.evaluate(f"{bottom} <= {PANEL}.innerHeight")
    assert await ana.evaluate(f"{PANEL}.document.getElementById('messages').clientHeight") > 0


async def test_it_closes_by_its_button_and_by_escape(place: Place) -> None:
    ana = await place.user()
    await ana.click("#close")
    await ana.gone("#box")
    await ana.click("button")
    await ana.see("#box")
    await ana.press("Escape")
    await ana.gone("#box")


@pytest.mark.parametrize("flags", [["--console", "--message-rate", "4", "--message-burst", "8"]])
async def test_a_refused_message_is_sent_again_with_the_same_cid(place: Place) -> None:
    """L-06: refused by the rate limit; accepted later, and stored once."""
    ana = await place.user()
    await ana.evaluate(f"""(() => {{ const send = {PANEL}.WebSocket.prototype.send; window.sent = [];
      {PANEL}.WebSocket.prototype.send = function (text) {{ window.sent.push(text); send.call(this, text); }}; }})()""")
    await ana.evaluate(f"""(() => {{ const form = {PANEL}.document.getElementById("composer");
      for (let number = 0; number < 12; number++) {{
        form.querySelector("textarea").value = `message ${{number}}`; form.requestSubmit(); }} }})()""")
    await ana.see(".mine[data-fate=failed]", "Too many messages at once.")
    async with asyncio.timeout(3 * PATIENCE_S):  # many presses, each of which waits for an answer
        while await ana.texts(".mine[data-fate=failed] .bubble"):
            await asyncio.sleep(0.4)  # the wait that this rate limit requires
            await ana.click(".mine[data-fate=failed] .retry")
            await ana.drawn()  # else the message may still be drawn as failed and be stored before the next press
            await ana.until(f"!{PANEL}.document.querySelector('[data-fate=sending]')")
    assert await ana.texts(".mine[data-fate=stored] .bubble") == [f"message {number}" for number in range(12)]
    cids = await ana.evaluate(r"""window.sent.map((text) => /"mensaje":"(.*?)","cid":"(.*?)"/.exec(text))
      .filter(Boolean).map(([, mensaje, cid]) => `${mensaje} ${cid}`)""")
    assert len(cids) > len(set(cids)) == 12


@pytest.mark.parametrize("flags", [["--console", "--max-message", "4"]])
async def test_a_message_over_the_limit_shows_that(place: Place, server: Server) -> None:
    ana = await place.user()
    await ana.say("é" * 5)
    await ana.see(".mine[data-fate=failed]", "That message is too long.")


async def test_on_a_phone_it_fills_the_screen(place: Place) -> None:
    ana = await place.user(size=(375, 667), phone=True)
    frame = "document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').getBoundingClientRect()"
    size = await ana.evaluate(
        f"(() => {{ const {{ x, y, width, height }} = {frame}; return [x, y, width, height]; }})()"
    )
    assert size == [0, 0, 375, 667]
    assert await ana.evaluate(f"{PANEL}.document.documentElement.scrollWidth") == 375
    await ana.say("hola desde el teléfono")
    await ana.see(".mine[data-mark^=stored], .mine[data-mark^=read]")
    await ana.click("#close")
    await ana.see("button")


async def test_a_page_of_an_unknown_origin_cannot_frame_it(place: Place, browser_page: str) -> None:
    """127.0.0.1 and localhost are different origins."""
    evil = await place.window()
    evil.allowed.update(("frame-ancestors", "policy", "404", "chromewebdata"))
    await evil.go(browser_page)
    await evil.evaluate(f"""(() => {{ const frame = document.createElement("iframe"); frame.id = "theirs";
      frame.src = "{place.url}/chatd/panel"; document.body.append(frame); }})()""")
    await evil.until("document.getElementById('theirs') !== null")
    await evil.heard("frame-ancestors")


@pytest.fixture
def browser_page(server: Server) -> str:
    """A page of this machine under the other host name."""
    return server.url.replace("127.0.0.1", "localhost") + "/nothing-here"


@pytest.mark.parametrize("flags", [[*FLAGS, "--admin-messages", "team", "--admin-names", "on"]])
async def test_who_answers_has_a_name_where_the_site_tells_it(place: Place) -> None:
    """D-17"""
    admin, ana = await place.admin("root", name="Rosa Díaz"), await place.user("ana")
    await ana.say("¿hola?")
    await admin.click("#list a")
    await admin.say("dime")
    await ana.see(".message .author", "Rosa Díaz")
    await ana.reload()
    await ana.see(".message .author", "Rosa Díaz")
