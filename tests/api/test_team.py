"""The API where the admins are a team: claims, states, notes, canned replies."""

from __future__ import annotations

import asyncio
import enum
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.api.keys import Scope
from chatd.api.openapi import document
from chatd.api.operations import OPERATIONS
from chatd.api.team import TEAM_OPERATIONS
from chatd.team.asklist import Order
from chatd.team.listsql import Kind
from tests.api.served import Api, System, add_key, serving_api

TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """With the setting that makes the admins a team."""
    async with serving_api(tmp_path, *TEAM) as running:
        yield running


async def test_a_conversation_is_claimed_taken_over_and_released(api: Api, bot: System) -> None:
    """A-12"""
    await (await api.chatd.enter("ana")).write("root", "help")
    place = "/v1/conversaciones/ana/atiende"
    claimed = (await bot.ask("PUT", place, {})).json()
    assert (claimed["caso"]["estado"], claimed["caso"]["atiende"]) == ("atendido", "bot")
    refused = await bot.ask("PUT", place, {"como": "eva", "rol": "admin"})
    assert (refused.status, refused.json()["code"], refused.json()["atiende"]) == (409, "claimed", "bot")
    taken = await bot.ask("PUT", place, {"como": "eva", "rol": "admin", "relevo": True})
    assert taken.json()["caso"]["atiende"] == "eva"
    assert (await bot.get("/v1/conversaciones/ana"))["caso"]["atiende"] == "eva"
    released = await bot.ask("DELETE", f"{place}?como=eva&rol=admin")
    assert released.json()["caso"]["estado"] == "abierto"


async def test_a_conversation_is_resolved_up_to_a_message_and_listed_by_its_state(api: Api, bot: System) -> None:
    """A-12"""
    ana = await api.chatd.enter("ana")
    first = await ana.write("root", "help")
    await ana.write("root", "more")
    place = "/v1/conversaciones/ana/resuelto"
    waiting = await bot.get("/v1/conversaciones?filtro=sin_responder")
    assert [each["con"] for each in waiting["conversaciones"]] == ["ana"]
    assert (await bot.ask("PUT", place, {"hasta": first["id"]})).json()["caso"]["estado"] == "abierto"
    assert (await bot.ask("PUT", place, {})).json()["caso"]["estado"] == "resuelto"
    resolved = await bot.get("/v1/conversaciones?filtro=resueltas")
    assert [each["caso"]["cerro"] for each in resolved["conversaciones"]] == ["bot"]
    found = await bot.get("/v1/conversaciones?buscar=NA")
    assert [each["con"] for each in found["conversaciones"]] == ["ana"]
    assert (await bot.ask("GET", "/v1/conversaciones?filtro=x")).status == 422


async def test_pages_by_waiting_go_on_where_they_ended(api: Api, bot: System) -> None:
    """A-12, D-18"""
    for user in ("ana", "eva"):
        await (await api.chatd.enter(user)).write("root", "help")
    path = "/v1/conversaciones?orden=espera&limite=1"
    page = await bot.get(path)
    assert [each["con"] for each in page["conversaciones"]] == ["ana"]
    after = await bot.get(f"{path}&antes={page['sigue']}")
    assert [each["con"] for each in after["conversaciones"]] == ["eva"]
    assert "sigue" not in after
    for wrong in ("orden=x", "orden=espera&antes=x-1"):
        assert (await bot.ask("GET", f"/v1/conversaciones?{wrong}")).status == 422, wrong
    for wrong in (
        "orden=espera&antes=1", "antes=espera-1", "orden=espera&filtro=resueltas", "orden=espera&buscar=a",
        "filtro=mias&buscar=a", "antes=1&buscar=a",
    ):  # fmt: skip
        problem = await bot.ask("GET", f"/v1/conversaciones?{wrong}")
        assert (problem.status, problem.json()["code"]) == (409, "contradiction"), wrong


@pytest.mark.parametrize(("parameter", "values"), [("filtro", Kind), ("orden", Order)])
def test_the_filters_and_orders_equal_those_of_the_chat(parameter: str, values: type[enum.StrEnum]) -> None:
    """A-12"""
    parameters = document()["paths"]["/v1/conversaciones"]["get"]["parameters"]
    [described] = [each["schema"]["enum"] for each in parameters if each["name"] == parameter]
    assert sorted(described) == sorted(values)


async def test_an_answer_by_a_system_leaves_the_case_open(api: Api, bot: System) -> None:
    """A-24: the case of eva is opened after the answer, because the follower reads messages in their order."""
    await (await api.chatd.enter("ana")).write("soporte", "help")
    await bot.send("ana", "We open at 9")
    await (await api.chatd.enter("eva")).write("soporte", "help")
    waiting: list[str] = []
    async with asyncio.timeout(20):
        while "eva" not in waiting:
            page = await bot.get("/v1/conversaciones?filtro=sin_responder")
            waiting = [each["con"] for each in page["conversaciones"]]
    assert waiting == ["ana", "eva"]


async def test_messages_from_and_to_a_system_open_no_case(api: Api, bot: System) -> None:
    """A-24: the user has never written."""
    root = await api.chatd.enter("root", "admin")
    await bot.send("maria", "Your order is on its way")
    await root.write("bot", "a note to the bot")
    await (await api.chatd.enter("eva")).write("soporte", "help")
    listed: list[str] = []
    async with asyncio.timeout(20):
        while "eva" not in listed:
            listed = [each["con"] for each in (await bot.get("/v1/conversaciones"))["conversaciones"]]
    assert listed == ["eva"]
    assert (await bot.get("/v1/conversaciones/bot"))["rol"] == "admin"


async def test_a_system_that_impersonates_an_admin_answers_and_claims_as_that_admin(api: Api, bot: System) -> None:
    """A-24"""
    await api.chatd.enter("root", "admin")
    await (await api.chatd.enter("ana")).write("soporte", "help")
    await bot.send("ana", "I am on it", de="root", rol="admin")
    async with asyncio.timeout(20):
        while (caso := (await bot.get("/v1/conversaciones/ana"))["caso"]).get("atiende") is None:
            pass
    assert (caso["estado"], caso["atiende"], "espera" in caso) == ("atendido", "root", False)


async def test_notes_are_kept_and_read_by_pages(bot: System) -> None:
    """A-12"""
    place = "/v1/conversaciones/ana/notas"
    written = [await bot.ask("POST", place, {"texto": f"note {n}"}) for n in range(3)]
    assert [answer.status for answer in written] == [201] * 3
    newest = await bot.get(f"{place}?limite=2")
    assert ([each["texto"] for each in newest["notas"]], newest["hay_mas"]) == (["note 1", "note 2"], True)
    before = await bot.get(f"{place}?antes={newest['notas'][0]['id']}")
    assert [(each["de"], each["texto"]) for each in before["notas"]] == [("bot", "note 0")]


async def test_canned_replies_are_added_changed_and_deleted(bot: System) -> None:
    """A-12"""
    for shortcut, text in (("bye", "Bye!"), ("hours", "We open at 9"), ("bye", "See you!")):
        assert (await bot.ask("PUT", f"/v1/respuestas/{shortcut}", {"texto": text})).status == 200
    page = await bot.get("/v1/respuestas")
    assert page["respuestas"] == [
        {"atajo": "bye", "texto": "See you!"}, {"atajo": "hours", "texto": "We open at 9"},
    ]  # fmt: skip
    assert (await bot.ask("DELETE", "/v1/respuestas/bye")).status == 200
    assert [each["atajo"] for each in (await bot.get("/v1/respuestas"))["respuestas"]] == ["hours"]
    assert (await bot.get("/v1/respuestas?despues=hours"))["respuestas"] == []
    assert (await bot.ask("PUT", "/v1/respuestas/a%20b", {"texto": "x"})).json()["code"] == "atajo_invalid"


async def test_users_and_keys_that_may_only_read_change_nothing(api: Api, bot: System) -> None:
    """A-03, A-08"""
    reader = await api.system(add_key(api.keys, "reader", Scope.READ))
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("reloaded")
    assert (await reader.ask("PUT", "/v1/respuestas/bye", {"texto": "x"})).json()["code"] == "scope_missing"
    refused = await bot.ask("PUT", "/v1/respuestas/bye", {"texto": "x", "como": "ana"})
    assert (refused.status, refused.json()["code"]) == (403, "admins_only")
    assert (await bot.get("/v1/respuestas"))["respuestas"] == []


async def test_without_a_team_these_operations_are_refused(tmp_path: Path) -> None:
    """A-12"""
    assert set(TEAM_OPERATIONS) < set(OPERATIONS)
    async with serving_api(tmp_path) as api:
        bot = await api.system()
        bodies = {"notas": {"texto": "x"}, "{atajo}": {"texto": "x"}}
        for one in TEAM_OPERATIONS:
            path = one.path.replace("{con}", "ana").replace("{atajo}", "bye")
            body = None if one.body is None else bodies.get(one.path.rpartition("/")[2], {})
            answer = await bot.ask(one.method, path, body)
            assert (answer.status, answer.json()["code"]) == (404, "unknown_event"), one.path
