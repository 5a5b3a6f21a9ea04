"""Messages sent through the API: rules, delivery and answers are those of `mensaje_privado`."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from chatd.api.keys import Scope
from tests.api.served import Api, System, add_key, serving_api


async def test_a_message_without_de_is_from_an_admin_named_after_the_key(api: Api, bot: System) -> None:
    """A-07"""
    ana, root = await api.chatd.enter("ana"), await api.chatd.enter("root", "admin")
    stored = await bot.send("ana", "hola")
    assert set(stored) == {"ok", "id", "fecha"}
    assert await ana.inbox() == [["mensaje_recibido", {"de": "bot", "mensaje": "hola"}]]
    assert await root.inbox() == []
    [message] = (await bot.get("/v1/conversaciones/ana/mensajes"))["mensajes"]
    assert message == {"id": stored["id"], "de": "bot", "para": "ana", "mensaje": "hola", "fecha": stored["fecha"]}


async def test_a_message_in_the_name_of_a_user_is_seen_by_every_admin(api: Api, bot: System) -> None:
    """A-08"""
    root = await api.chatd.enter("root", "admin")
    await bot.send("root", "help", de="ana")
    await bot.send("root", "as an admin, to one", de="eva", rol="admin")
    await bot.send("boss", "as a user", de="ana", rol="user")
    assert await root.inbox() == [
        ["mensaje_recibido", {"de": "ana", "mensaje": "help"}],
        ["mensaje_recibido", {"de": "eva", "mensaje": "as an admin, to one"}],
        ["mensaje_recibido", {"de": "ana", "mensaje": "as a user"}],
    ]


async def test_only_a_key_with_the_scope_impersonate_may_set_de(api: Api) -> None:
    """A-08"""
    key = add_key(api.keys, "shop", Scope.SEND, Scope.READ)
    api.chatd.process.send_signal(signal.SIGHUP)
    await api.chatd.logged("reloaded")
    shop = await api.system(key)
    await shop.send("ana", "my own", de="shop")
    answer = await shop.ask("POST", "/v1/mensajes", {"de": "root", "para": "ana", "mensaje": "x"})
    assert (answer.status, answer.json()["code"]) == (403, "scope_missing")
    answer = await shop.ask("GET", "/v1/conversaciones/ana/mensajes?como=root")
    assert (answer.status, answer.json()["code"]) == (403, "scope_missing")


async def test_the_idempotency_key_is_the_cid(bot: System) -> None:
    """A-09"""
    message = {"para": "ana", "mensaje": "once"}
    answers = [await bot.ask("POST", "/v1/mensajes", message, Idempotency_Key="order-7") for _ in range(3)]
    answers.append(await bot.ask("POST", "/v1/mensajes", {**message, "cid": "order-7"}))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert len((await bot.get("/v1/conversaciones/ana/mensajes"))["mensajes"]) == 1


async def test_a_cid_that_differs_from_the_idempotency_key_is_refused(bot: System) -> None:
    """A-09"""
    message = {"para": "ana", "mensaje": "x", "cid": "one"}
    answer = await bot.ask("POST", "/v1/mensajes", message, Idempotency_Key="two")
    assert (answer.status, answer.json()["code"]) == (409, "contradiction")


async def test_each_message_of_a_batch_has_its_own_answer_in_order(api: Api, bot: System) -> None:
    """A-11"""
    ana = await api.chatd.enter("ana")
    long = "x" * 100_001
    many = [{"para": "ana", "mensaje": f"m{n}"} for n in range(98)]
    sent = [*many, {"para": "ana", "mensaje": long}, {"para": "ana", "mensaje": "last", "de": "eva", "cid": "c"}]
    answer = await bot.ask("POST", "/v1/mensajes/lote", {"mensajes": sent})
    assert answer.status == 200
    outcomes = answer.json()["respuestas"]
    assert [each["estado"] for each in outcomes] == [201] * 98 + [422, 201]
    assert outcomes[98]["problema"]["code"] == "mensaje_too_long"
    ids = [int(each["id"]) for each in outcomes if "id" in each]
    assert ids == sorted(ids)
    heard = [event[1]["mensaje"] for event in await ana.inbox()]
    assert heard == [f"m{n}" for n in range(98)] + ["last"]


async def test_an_acknowledged_message_survives_sigkill(tmp_path: Path) -> None:
    """A-07"""
    async with serving_api(tmp_path) as api:
        stored = await (await api.system()).send("ana", "durable")
        api.chatd.process.kill()
        await api.chatd.process.wait()
    (tmp_path / "keys").unlink()
    async with serving_api(tmp_path) as api:
        [message] = (await (await api.system()).get("/v1/conversaciones/ana/mensajes"))["mensajes"]
        assert message["id"] == stored["id"]


async def test_a_message_counts_for_the_rate_limit_of_its_sender(tmp_path: Path) -> None:
    """A-07"""
    async with serving_api(tmp_path, "--message-rate", "1", "--message-burst", "2") as api:
        bot = await api.system()
        await bot.send("ana", "one")
        await bot.send("ana", "two")
        answer = await bot.ask("POST", "/v1/mensajes", {"para": "ana", "mensaje": "three"})
        assert (answer.status, answer.json()["code"], answer.header("retry-after")) == (429, "rate_limited", "1")
        await bot.send("ana", "of another sender", de="eva")


async def test_pipelined_messages_keep_their_order(api: Api, bot: System) -> None:
    """A-07"""
    ana = await api.chatd.enter("ana")
    other = await api.system()
    await asyncio.gather(
        *(bot.send("ana", f"b{n}", cid=f"b{n}") for n in range(1)), *(other.send("ana", f"o{n}") for n in range(1))
    )
    heard = [event[1]["mensaje"] for event in await ana.inbox()]
    page = [message["mensaje"] for message in (await bot.get("/v1/conversaciones/ana/mensajes"))["mensajes"]]
    assert sorted(heard) == ["b0", "o0"]
    assert heard == page
