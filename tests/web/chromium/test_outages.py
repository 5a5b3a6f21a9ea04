"""A server that hangs, and a computer without network: no message is lost, duplicated or shown as failed."""

from __future__ import annotations

from tests.web.chromium.conftest import Place
from tests.web.chromium.test_two_windows import AWAY
from tests.web.tab import FINDER


async def test_a_message_to_a_hanging_server_is_stored_once_and_never_shown_as_failed(place: Place) -> None:
    """C-22: after SIGSTOP and SIGCONT the server reads the message and its retry."""
    admin, ana = await place.admin(), await place.user()
    await ana.say("before")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "before")
    await ana.see(".mine[data-fate=stored]", "before")
    for window in (admin, ana):
        window.allowed.update(AWAY)
    with place.server.suspended():
        await ana.say("from ana")
        await admin.say("from root")
        for window in (admin, ana):
            await window.until(f"({FINDER})('#banner').length === 1")  # it takes longer than the timeout of `see`
            assert len(await window.texts(".mine[data-fate=sending]")) == 1
    for window in (admin, ana):
        await window.gone("#banner")
        await window.gone(".mine[data-fate=sending]")
        assert not await window.texts(".mine[data-fate=failed]")
        assert sorted(await window.texts(".bubble")) == ["before", "from ana", "from root"]


async def test_a_lost_network_is_shown_at_once(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("before")
    await ana.see(".mine[data-mark^=stored]", "before")
    ana.allowed.update((*AWAY, "ERR_INTERNET_DISCONNECTED"))
    await ana.offline(on=True)
    await ana.see("#banner", "No connection")
    await ana.say("from the train")
    await ana.see(".mine[data-fate=sending]", "from the train")
    await ana.offline(on=False)
    await ana.gone("#banner")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "from the train")
    await ana.gone(".mine[data-fate=sending]")
    assert await ana.texts(".bubble") == await admin.texts(".bubble") == ["before", "from the train"]


async def test_a_thread_opened_without_a_connection_shows_that(place: Place) -> None:
    admin = await place.admin()
    admin.allowed.update(AWAY)
    place.server.stop()
    await admin.see("#banner", "Trying again")
    await admin.evaluate("location.hash = '#/with/ana'")
    await admin.see("#messages li", "The messages are not here yet.")
    await admin.evaluate("""(() => { window.announced = [];
      const announcer = document.getElementById("announcer");
      const hear = () => announced.push(announcer.textContent);
      new MutationObserver(hear).observe(announcer, { childList: true }); })()""")
    place.server.start()
    await admin.see("#messages li", "No messages yet.")
    await admin.gone("#messages li", "The messages are not here yet.")
    await admin.until("announced.includes('Connected again')")
