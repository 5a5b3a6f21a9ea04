"""`buscar`, over real sockets and with real daemons."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chat.daemon import daemon
from tests.chat.people import chatting
from tests.cli.command import chatd
from tests.store.rig import ask


def holds(db: Path, word: bytes) -> bool:
    return word in db.read_bytes()


async def test_without_the_setting_buscar_is_an_unknown_event(db: Path) -> None:
    """C-89"""
    async with chatting(db) as chat:
        ana = await chat.enter("ana")
        assert (await ana.ask("buscar", {"texto": "hola"}))["error"]["code"] == "unknown_event"


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("hola", "arguments_invalid"),
        ({}, "texto_invalid"),
        ({"texto": 7}, "texto_invalid"),
        ({"texto": "¿...?"}, "texto_invalid"),
        ({"texto": "x" * 201}, "texto_invalid"),
        ({"texto": "a b c d e f g h i"}, "texto_invalid"),
        ({"texto": "hola", "con": ""}, "con_invalid"),
        ({"texto": "hola", "antes": 7}, "antes_invalid"),
        ({"texto": "hola", "limite": 101}, "limite_invalid"),
    ],
)
async def test_a_mistake_is_refused_with_a_code(db: Path, argument: object, code: str) -> None:
    """C-89, C-13"""
    async with chatting(db, search="on") as chat:
        ana = await chat.enter("ana")
        assert (await ana.ask("buscar", argument))["error"]["code"] == code


async def test_pages_take_sigue_and_end_early_where_messages_are_long(db: Path) -> None:
    """C-89"""
    async with chatting(db, search="on") as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        ids = [(await ana.write("root", "apple " + "x" * 9_000))["id"] for _ in range(40)]
        found: list[str] = []
        lengths: list[int] = []
        antes: str | None = None
        while antes is not None or not found:
            page = await root.ask("buscar", {"texto": "apple", "limite": 35, **({"antes": antes} if antes else {})})
            found += [hit["id"] for hit in page["encontrados"]]
            lengths.append(len(page["encontrados"]))
            antes = page["sigue"]
        assert found == ids[::-1]
        assert lengths[0] < 35


async def test_concurrent_searches_of_one_user_are_limited(db: Path) -> None:
    """C-90, C-76"""
    async with chatting(db, search="on") as chat:
        ana = await chat.enter("ana")
        asked = [await ana.begin("buscar", {"texto": "apple"}) for _ in range(20)]
        answers = [await ana.answer(one) for one in asked]
        codes = {answer["error"]["code"] for answer in answers if not answer["ok"]}
        assert codes == {"history_busy"}
        assert sum(answer["ok"] for answer in answers) >= 4


async def test_a_daemon_indexes_existing_messages_and_drops_the_index_without_search(db: Path) -> None:
    """C-91: in between, chatd erase deletes words from it."""
    async with daemon(db) as running:
        ana = await running.enter("ana")
        await ana.write("root", "an old apple")
        await (await running.enter("eva")).write("root", "a rotten apple")
    async with daemon(db, "--search", "on") as running:
        root = await running.enter("root", "admin")
        hits: list[str] = []
        async with asyncio.timeout(20):
            while len(hits) < 2:
                page = await root.ask("buscar", {"texto": "apple"})
                hits = [hit["mensaje"] for hit in page["encontrados"]]
        assert hits == ["a rotten apple", "an old apple"]
    assert chatd("erase", "--user", "eva", "--db", db).returncode == 0
    assert not holds(db, b"rotten")
    assert chatd("vacuum", "--db", db).returncode == 0
    async with daemon(db, "--search", "on") as running:
        root = await running.enter("root", "admin")
        page = await root.ask("buscar", {"texto": "apple"})
        assert [hit["mensaje"] for hit in page["encontrados"]] == ["an old apple"]
    async with daemon(db):
        pass
    assert ask(db, "SELECT name FROM sqlite_master WHERE sql LIKE '%textos%'") == []
