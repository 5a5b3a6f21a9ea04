"""Reading through the API: history, conversations, presence, and counts."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.api.served import Api, System, serving_api


async def test_a_key_reads_what_an_admin_of_its_name_may_read(api: Api, bot: System) -> None:
    """A-12"""
    ana, root = await api.chatd.enter("ana"), await api.chatd.enter("root", "admin")
    await ana.write("root", "help")
    await root.write("ana", "between us")
    await bot.send("ana", "bot here")
    page = await bot.get("/v1/conversaciones/ana/mensajes")
    assert [message["mensaje"] for message in page["mensajes"]] == ["help", "bot here"]
    page = await bot.get("/v1/conversaciones/ana/mensajes?como=root&rol=admin")
    assert [message["mensaje"] for message in page["mensajes"]] == ["help", "between us"]
    page = await bot.get("/v1/conversaciones/root/mensajes?como=ana")
    assert [message["mensaje"] for message in page["mensajes"]] == ["help", "between us"]


async def test_history_pages_run_forwards_and_backwards_by_id(bot: System) -> None:
    """A-12"""
    ids = [(await bot.send("ana", f"m{n}"))["id"] for n in range(5)]
    base = "/v1/conversaciones/ana/mensajes?limite=2"
    newest = await bot.get(base)
    assert ([each["id"] for each in newest["mensajes"]], newest["hay_mas"]) == (ids[3:], True)
    before = await bot.get(f"{base}&antes={ids[3]}")
    assert [each["id"] for each in before["mensajes"]] == ids[1:3]
    after = await bot.get(f"{base}&despues={ids[2]}")
    assert ([each["id"] for each in after["mensajes"]], after["hay_mas"]) == (ids[3:], False)


async def test_the_list_of_conversations_has_unread_counts(api: Api, bot: System) -> None:
    """A-12"""
    for user in ("ana", "eva", "eve"):
        await (await api.chatd.enter(user)).write("bot", f"of {user}")
    listed = await bot.get("/v1/conversaciones?limite=2")
    assert [(each["con"], each["no_leidos"]) for each in listed["conversaciones"]] == [("eve", 1), ("eva", 1)]
    assert listed["hay_mas"] is True
    rest = await bot.get(f"/v1/conversaciones?antes={listed['conversaciones'][-1]['ultimo']['id']}")
    assert [each["con"] for each in rest["conversaciones"]] == ["ana"]
    found = await bot.get("/v1/conversaciones?buscar=ev")
    assert [each["con"] for each in found["conversaciones"]] == ["eva", "eve"]


async def test_a_read_receipt_is_sent_to_the_other_side(api: Api, bot: System) -> None:
    """A-13"""
    ana = await api.chatd.enter("ana")
    stored = await ana.write("bot", "read me")
    assert (await bot.get("/v1/no_leidos"))["no_leidos"] == {"ana": 1}
    assert (await bot.ask("POST", "/v1/leidos", {"con": "ana", "hasta": stored["id"]})).status == 200
    assert (await bot.get("/v1/no_leidos"))["no_leidos"] == {}
    assert await ana.inbox() == [["leido", {"de": "bot", "hasta": stored["id"]}]]
    assert (await bot.get("/v1/conversaciones/ana"))["leido"] == stored["id"]


async def test_all_conversations_are_marked_read_and_one_unread_again(api: Api, bot: System) -> None:
    """A-32: for this admin alone."""
    ana, eva = await api.chatd.enter("ana"), await api.chatd.enter("eva")
    stored = await ana.write("bot", "read me")
    newest = await eva.write("bot", "me too")
    assert (await bot.ask("POST", "/v1/leidos/todo", {"hasta": newest["id"]})).json() == {"ok": True}
    assert (await bot.get("/v1/no_leidos"))["no_leidos"] == {}
    assert (await bot.ask("POST", "/v1/no_leidos", {"con": "ana", "desde": stored["id"]})).json() == {"ok": True}
    assert (await bot.get("/v1/no_leidos"))["no_leidos"] == {"ana": 1}
    assert await ana.inbox() == []
    for place, body in (("leidos/todo", {"hasta": "0"}), ("no_leidos", {"con": "ana", "desde": "0"})):
        assert (await bot.ask("POST", f"/v1/{place}", body)).status == 404


async def test_the_list_of_users_online(tmp_path: Path) -> None:
    """A-14"""
    async with serving_api(tmp_path, "--presence", "on") as api:
        bot = await api.system()
        people = [await api.chatd.enter(user) for user in ("ana", "eva", "eva")]
        here = await bot.get("/v1/presencia?limite=1")
        assert ([each["user"] for each in here["conectados"]], here["hay_mas"]) == (["ana"], True)
        here = await bot.get("/v1/personas?despues=ana")
        [eva] = here["personas"]
        assert (eva["user"], eva["rol"], len(eva["conexiones"])) == ("eva", "user", 2)
        assert eva["conexiones"][0]["transport"] == "websocket"
        assert (await bot.get("/v1/personas?limite=1"))["hay_mas"] is True
        assert len(people) == 3


async def test_admin_availability(tmp_path: Path) -> None:
    """A-24"""
    async with serving_api(tmp_path, "--presence", "on") as api:
        bot = await api.system()
        assert (await bot.get("/v1/atencion"))["atendido"] is False
        await api.chatd.enter("root", "admin")
        assert (await bot.get("/v1/atencion"))["atendido"] is True


async def test_without_presence_the_list_of_users_online_is_refused(bot: System) -> None:
    """A-14, A-24"""
    for target in ("/v1/presencia", "/v1/atencion"):
        answer = await bot.ask("GET", target)
        assert (answer.status, answer.json()["code"]) == (404, "unknown_event")


async def test_a_user_is_disconnected(api: Api, bot: System) -> None:
    """A-15"""
    ana = await api.chatd.enter("ana")
    answer = await bot.ask("DELETE", "/v1/personas/ana")
    assert (answer.status, answer.json()) == (200, {"sesiones": 1})
    assert "kicked" in str((await ana.last_words())[0])
    assert (await bot.ask("DELETE", "/v1/personas/ana")).json() == {"sesiones": 0}


async def test_a_user_is_denied_at_once_and_after_a_reload(tmp_path: Path) -> None:
    """A-16"""
    deny = tmp_path / "deny"
    deny.write_text("# here")
    async with serving_api(tmp_path, "--deny-file", deny) as api:
        bot, ana = await api.system(), await api.chatd.enter("ana")
        for _ in range(2):
            assert (await bot.ask("PUT", "/v1/denegados/usuarios/ana")).json() == {"ok": True}
        assert (await bot.ask("PUT", "/v1/denegados/jti/%22a%20quote%0Auser:eva")).status == 200
        assert "token_denied" in str((await ana.last_words())[0])
        assert deny.read_text() == '# here\nuser:"ana"\njti:"\\"a quote\\nuser:eva"\n'
        await api.chatd.enter("eva")
        api.chatd.process.send_signal(signal.SIGHUP)
        await api.chatd.logged("reloaded")
        assert api.chatd.faults == []


async def test_denying_a_user_without_a_deny_list_is_refused(bot: System) -> None:
    """A-16"""
    answer = await bot.ask("PUT", "/v1/denegados/usuarios/ana")
    assert (answer.status, answer.json()["code"]) == (409, "no_deny_file")


async def test_a_deny_list_that_cannot_be_written_is_logged(tmp_path: Path) -> None:
    """A-16"""
    deny = tmp_path / "deny"
    deny.write_text("")
    async with serving_api(tmp_path, "--deny-file", deny) as api:
        deny.unlink()
        answer = await (await api.system()).ask("PUT", "/v1/denegados/usuarios/ana")
        assert (answer.status, answer.json()["code"]) == (500, "failed")
        assert (await api.chatd.logged("the deny list cannot be written"))["key"] == "bot"


async def test_the_counts_equal_those_of_the_metrics(api: Api, bot: System) -> None:
    """A-17"""
    await api.chatd.enter("ana")
    counts = (await bot.get("/v1/cuentas"))["cuentas"]
    values = {each["nombre"]: each["valor"] for each in counts if not each["etiquetas"]}
    assert values["chatd_users"] == 1
    assert values["chatd_nodes"] is None
    assert values["chatd_commit_seconds_count"] == 0
    sessions = [each for each in counts if each["nombre"] == "chatd_sessions"]
    assert {each["etiquetas"]["transport"]: each["valor"] for each in sessions} == {"polling": 0, "websocket": 1}
