"""A user and an admin talk, each in their own window."""

from __future__ import annotations

from tests.web.chromium.conftest import Place

AWAY = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "WebSocket", "status of 503")


async def test_a_user_and_an_admin_talk(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("Hola, ¿dónde está mi pedido?")
    await ana.see(".mine[data-mark^=stored], .mine[data-mark^=read]", "Hola")
    assert (await admin.see("#list a", "ana"))[0].count("Hola")
    await admin.see("#unread", "1")
    await admin.until("document.title === '(1) chatd'")
    await admin.click("#list a", "ana")
    await admin.see("#messages .bubble", "Hola, ¿dónde está mi pedido?")
    await admin.gone("#unread")
    await admin.until("document.title === 'chatd'")
    await admin.say("On its way: it left this morning.")
    await ana.see(".message:not(.mine) .bubble", "On its way")
    await ana.see(".message:not(.mine) .author", "root")
    await ana.say("¡Gracias!")
    await admin.see("#messages .bubble", "¡Gracias!")


async def test_a_message_is_shown_as_delivered_when_the_other_user_is_online(place: Place) -> None:
    admin, ana = await place.admin(), await place.enter("/chatd/demo", "ana", "user")
    await admin.click("#list a", "ana")
    await admin.say("are you there?")
    await admin.see(".mine[data-mark^='stored delivered']", "are you there?")
    await ana.click("button")
    await admin.see(".mine[data-mark^=read]", "are you there?")
    await admin.write("#search", "late")
    await admin.see("#list a", "Write to late")
    await admin.press("Enter")
    await place.write_to_a_stranger(admin, "late", "hello?")
    await admin.see(".mine[data-mark='stored ']", "hello?")
    await place.enter("/chatd/demo", "late", "user")
    await admin.see(".mine[data-mark^='stored delivered']", "hello?")


async def test_each_side_sees_typing_and_read_marks_of_the_other(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await ana.say("hola")
    await admin.click("#list a", "ana")
    await ana.see(".mine[data-mark^=read]", "hola")
    await admin.say("qué tal")
    await admin.see(".mine[data-mark^=read]", "qué tal")
    await admin.write("#box", "ho")
    await ana.see("#typing", "writing…")
    await ana.write("#box", "he")
    await admin.see("#typing", "writing…")
    await admin.see("#list .typing-now")


async def test_both_recover_from_a_restart_without_loss_or_duplicates(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    for window in (admin, ana):
        window.allowed.update(AWAY)
    await ana.say("before")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "before")
    place.server.stop()
    await ana.see("#banner", "Trying again")
    await admin.see("#banner", "Trying again")
    await ana.say("written while it was away")
    await ana.see(".mine[data-fate=sending]", "written while")
    place.server.start()
    await ana.gone("#banner", "Trying again")
    await admin.see(".bubble", "written while it was away")
    await ana.see(".mine[data-mark^=stored], .mine[data-mark^=read]", "written while it was away")
    await admin.say("after")
    await ana.see(".bubble", "after")
    for window in (admin, ana):
        assert await window.texts(".bubble") == ["before", "written while it was away", "after"]


async def test_unsent_messages_survive_the_page(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    await admin.click("#list a", "ana")
    for window in (admin, ana):
        window.allowed.update(AWAY)
    place.server.stop()
    await ana.say("from a page that is gone")
    await admin.say("and an answer")
    for window in (admin, ana):
        await window.see(".mine[data-fate=sending]")
        await window.go("about:blank")
    place.server.start()
    await admin.go(f"{place.url}/chatd/")
    await admin.see("#list a", "ana")
    await ana.go(f"{place.url}/chatd/demo")
    await ana.see(".mine[data-mark^=stored], .mine[data-mark^=read]", "from a page that is gone")
    await ana.see(".bubble", "and an answer")
    await admin.click("#list a", "ana")
    await admin.see(".bubble", "from a page that is gone")
    for window in (admin, ana):
        assert sorted(await window.texts(".bubble")) == ["and an answer", "from a page that is gone"]
        assert await window.evaluate("JSON.stringify(Object.keys(localStorage))") == "[]"


async def test_another_tab_shows_messages_sent_from_the_first(place: Place) -> None:
    one = await place.admin()
    two = await place.admin()
    await one.go(f"{place.url}/chatd/#/with/ana")
    await two.go(f"{place.url}/chatd/#/with/ana")
    await two.see("#thread-name", "ana")
    await place.write_to_a_stranger(one, "ana", "from the first tab")
    await two.see(".mine .bubble", "from the first tab")


async def test_read_marks_of_one_tab_reach_the_other(place: Place) -> None:
    one, two, ana = await place.admin(), await place.admin(), await place.user()
    await ana.say("hola")
    for tab in (one, two):
        await tab.see("#unread", "1")
    await one.click("#list a", "ana")
    await two.gone("#unread")


async def test_a_user_who_connects_while_the_page_loads_the_users_online_is_online(place: Place) -> None:
    """One polling payload may hold the answer and the presence event: the event is handled first."""
    admin = await place.admin()
    online = await admin.evaluate("""(async () => {
      const { People } = await import("/chatd/people.js");
      const people = new People({
        askPatiently: async () => ({ conversaciones: [], hay_mas: false }),
        askOrNull: async () => {
          people.presence({ user: "ana", en_linea: true, visto: null });
          return { conectados: [], hay_mas: false };
        } });
      await people.load();
      return people.get("ana").online; })()""")
    assert online is True
