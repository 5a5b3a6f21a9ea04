"""`GET /v1/encontrados`: full-text search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.served import Api, System, serving_api
from tests.store.rig import Base


def texts(page: Any) -> list[str]:
    return [each["mensaje"] for each in page["encontrados"]]


async def test_a_key_searches_what_an_admin_of_its_name_may_read(db: Base, tmp_path: Path) -> None:
    """A-30"""
    async with serving_api(tmp_path, "--search", "on", db=db) as api:
        bot, ana = await api.system(), await api.chatd.enter("ana")
        root = await api.chatd.enter("root", "admin")
        await ana.write("root", "¿Dónde está mi pedido?")
        await root.write("ana", "Tu pedido llega hoy")
        await bot.send("ana", "pedido 7 entregado")
        assert texts(await bot.get("/v1/encontrados?texto=PEDIDO")) == ["pedido 7 entregado", "¿Dónde está mi pedido?"]
        found = await bot.get("/v1/encontrados?texto=ped&como=root&rol=admin")
        assert texts(found) == ["Tu pedido llega hoy", "¿Dónde está mi pedido?"]
        assert texts(await bot.get("/v1/encontrados?texto=donde%20pedido&como=ana")) == ["¿Dónde está mi pedido?"]
        assert texts(await bot.get("/v1/encontrados?texto=pedido&con=eva")) == []


async def test_the_next_page_of_results_is_asked_for_with_sigue_as_antes(db: Base, tmp_path: Path) -> None:
    """A-30"""
    async with serving_api(tmp_path, "--search", "on", db=db) as api:
        bot = await api.system()
        for number in range(5):
            await bot.send("ana", f"apple {number}")
        found: list[str] = []
        more = ""
        while True:
            page = await bot.get(f"/v1/encontrados?texto=apple&con=ana&limite=2{more}")
            found += texts(page)
            if page["sigue"] is None:
                break
            more = f"&antes={page['sigue']}"
        assert found == [f"apple {number}" for number in (4, 3, 2, 1, 0)]


async def test_an_invalid_search_is_refused(tmp_path: Path) -> None:
    """A-31"""
    async with serving_api(tmp_path, "--search", "on") as api:
        bot = await api.system()
        for query, code in (
            ("", "arguments_invalid"),
            ("?texto=", "texto_invalid"),
            ("?texto=%C2%BF...%3F", "texto_invalid"),
            ("?texto=a%20b%20c%20d%20e%20f%20g%20h%20i", "texto_invalid"),
            (f"?texto={'x' * 201}", "texto_invalid"),
            ("?texto=x&con=", "con_invalid"),
            ("?texto=x&antes=y", "antes_invalid"),
            ("?texto=x&limite=101", "limite_invalid"),
        ):
            answer = await bot.ask("GET", f"/v1/encontrados{query}")
            assert (answer.status, answer.json()["code"]) == (422, code), query


async def test_searches_of_a_key_have_the_rate_limit_of_an_admin(tmp_path: Path) -> None:
    """A-31"""
    async with serving_api(tmp_path, "--search", "on", "--message-rate", "0.1", "--message-burst", "1") as api:
        bot = await api.system()
        answers = [await bot.ask("GET", "/v1/encontrados?texto=x") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 429]
        assert answers[-1].header("retry-after") is not None


async def test_without_an_index_a_search_is_refused(api: Api, bot: System) -> None:
    """A-31"""
    answer = await bot.ask("GET", "/v1/encontrados?texto=x")
    assert (answer.status, answer.json()["code"]) == (404, "unknown_event")
