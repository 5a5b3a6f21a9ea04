"""`historial` and `conversaciones`, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chat.people import Chat, Person


async def page(person: Person, **asked: object) -> tuple[list[str], bool]:
    """The texts of a page, and whether more pages follow."""
    answer = await person.ask("historial", asked)
    assert answer["ok"], answer
    return [message["mensaje"] for message in answer["mensajes"]], answer["hay_mas"]


async def code(person: Person, event: str, *arguments: object) -> Any:
    answer = await person.ask(event, *arguments)
    assert answer["ok"] is False
    return answer["error"]["code"]


async def test_pages_run_forwards_and_backwards_without_gaps(chat: Chat) -> None:
    """C-70"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    ids = [(await (ana if n % 2 else root).write("root" if n % 2 else "ana", str(n)))["id"] for n in range(7)]
    assert await page(ana, con="root", limite=3) == (["4", "5", "6"], True)
    assert await page(ana, con="root", limite=3, antes=ids[4]) == (["1", "2", "3"], True)
    assert await page(ana, con="root", limite=3, antes=ids[1]) == (["0"], False)
    assert await page(ana, con="root", limite=3, despues=ids[1]) == (["2", "3", "4"], True)
    assert await page(ana, con="root", limite=3, despues=ids[3]) == (["4", "5", "6"], False)
    assert await page(ana, con="root", despues="0", limite=7) == (list("0123456"), False)
    assert await page(root, con="ana") == (list("0123456"), False)
    assert await page(ana) == (list("0123456"), False)


async def test_a_page_has_the_id_and_date_of_the_acknowledgement(chat: Chat) -> None:
    """C-70"""
    ana = await chat.enter("ana")
    stored = await ana.write("root", "hola\0 😀")
    answer = await ana.ask("historial", {"con": "root"})
    row = {"id": stored["id"], "de": "ana", "para": "root", "mensaje": "hola\0 😀", "fecha": stored["fecha"]}
    assert answer == {"ok": True, "mensajes": [row], "hay_mas": False}


async def test_history_has_only_messages_that_the_reader_may_see(chat: Chat) -> None:
    """C-71"""
    ana, berta = await chat.enter("ana"), await chat.enter("berta")
    root, boss = await chat.enter("root", "admin"), await chat.enter("boss", "admin")
    await ana.write("root", "ana to root")
    await root.write("ana", "root to ana")
    await boss.write("ana", "boss to ana")
    await ana.write("berta", "ana to berta")
    await root.write("boss", "root to boss")
    await ana.write("ana", "a note")
    assert await page(ana) == (["ana to root", "root to ana", "boss to ana", "ana to berta", "a note"], False)
    assert await page(berta) == (["ana to berta"], False)
    assert await page(ana, con="root") == (["ana to root", "root to ana"], False)
    assert await page(ana, con="ana") == (["a note"], False)
    assert await page(berta, con="root") == ([], False)
    assert await page(root, con="ana") == (["ana to root", "root to ana", "ana to berta", "a note"], False)
    assert await page(boss, con="ana") == (["ana to root", "boss to ana", "ana to berta", "a note"], False)
    assert await page(root, con="berta") == (["ana to berta"], False)
    assert await page(boss, con="root") == (["ana to root", "root to boss"], False)
    assert await page(root, con="boss") == (["root to boss"], False)
    other = await chat.enter("other", "admin")
    assert await page(other, con="root") == (["ana to root"], False)
    assert await page(other, con="boss") == ([], False)


async def test_a_page_of_long_messages_ends_early(chat: Chat) -> None:
    """C-72: 100 messages of 10,000 characters are more than a connection may have waiting."""
    ana = await chat.enter("ana")
    for number in range(60):
        await ana.write("root", f"{number:02}" + "é" * 9_998)
    texts, more = await page(ana, con="root", limite=100)
    assert [text[:2] for text in texts] == [f"{number:02}" for number in range(47, 60)]
    assert more
    answer = await ana.ask("historial", {"con": "root", "limite": 100, "despues": "0"})
    assert [message["mensaje"][:2] for message in answer["mensajes"]] == [f"{number:02}" for number in range(13)]


async def test_the_list_has_the_last_visible_message_of_each(chat: Chat) -> None:
    """C-73, C-74"""
    ana, berta = await chat.enter("ana"), await chat.enter("berta")
    root, boss = await chat.enter("root", "admin"), await chat.enter("boss", "admin")
    await ana.write("root", "1")
    await berta.write("root", "2")
    await root.write("ana", "3")
    await boss.write("root", "4")
    await root.write("eva", "5")

    async def listed(person: Person, **asked: object) -> list[tuple[str, str, int]]:
        answer = await person.ask("conversaciones", asked)
        return [(each["con"], each["ultimo"]["mensaje"], each["no_leidos"]) for each in answer["conversaciones"]]

    assert await listed(root) == [("eva", "5", 0), ("boss", "4", 1), ("ana", "3", 1), ("berta", "2", 1)]
    assert await listed(boss) == [("root", "4", 0), ("berta", "2", 1), ("ana", "1", 1)]
    first = await root.ask("conversaciones", {"limite": 2})
    assert first["hay_mas"] is True
    assert await listed(root, antes=first["conversaciones"][-1]["ultimo"]["id"]) == [("ana", "3", 1), ("berta", "2", 1)]
    assert (await root.ask("conversaciones", {"limite": 4}))["hay_mas"] is False


async def test_conversations_are_found_by_a_prefix_of_the_name(chat: Chat) -> None:
    """C-77"""
    root = await chat.enter("root", "admin")
    for user in ("ana", "ana.ruiz", "anímico", "an\U0010fffd", "berta", "Ana"):
        await (await chat.enter(user)).write("root", user)
    await root.write("anselmo", "hola")
    await (await chat.enter("boss", "admin")).write("andrés", "between the two of us")

    async def named(**asked: object) -> tuple[list[str], bool]:
        answer = await root.ask("conversaciones", asked)
        return [each["con"] for each in answer["conversaciones"]], answer["hay_mas"]

    assert await named(buscar="an") == (["ana", "ana.ruiz", "anselmo", "anímico", "an\U0010fffd"], False)
    assert await named(buscar="an", limite=2) == (["ana", "ana.ruiz"], True)
    assert await named(buscar="ana.ruiz", limite=1) == (["ana.ruiz"], False)
    assert await named(buscar="a%") == ([], False)


async def test_messages_of_others_after_the_mark_are_unread(chat: Chat) -> None:
    """C-75"""
    ana, root, boss = await chat.enter("ana"), await chat.enter("root", "admin"), await chat.enter("boss", "admin")
    ids = [(await root.write("ana", str(number)))["id"] for number in range(3)]
    await boss.write("ana", "hola")
    await ana.write("root", "hola")
    await (await chat.enter("berta")).write("ana", "hola")
    assert (await ana.ask("no_leidos"))["no_leidos"] == {"root": 3, "boss": 1, "berta": 1}
    assert (await ana.ask("leido", {"con": "root", "hasta": ids[1]}))["ok"]
    assert (await ana.ask("no_leidos"))["no_leidos"] == {"root": 1, "boss": 1, "berta": 1}
    assert (await ana.ask("no_leidos", {"con": "root"}))["no_leidos"] == {"root": 1}
    assert (await ana.ask("no_leidos", {"con": "eva"}))["no_leidos"] == {}
    assert (await root.ask("no_leidos"))["no_leidos"] == {"ana": 1, "berta": 1}
    assert (await boss.ask("no_leidos", {"con": "ana"}))["no_leidos"] == {"ana": 1}


async def test_the_unread_count_ends_at_100(chat: Chat) -> None:
    """C-75"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    for number in range(105):
        await ana.emit("mensaje_privado", {"para": "root", "mensaje": str(number)})
    await ana.write("root", "last")
    assert (await root.ask("no_leidos"))["no_leidos"] == {"ana": 100}
    assert (await root.ask("conversaciones"))["conversaciones"][0]["no_leidos"] == 100


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("root", "arguments_invalid"),
        (None, "arguments_invalid"),
        ({"con": ""}, "con_invalid"),
        ({"con": "x" * 129}, "con_invalid"),
        ({"con": "\ud800"}, "con_invalid"),
        ({"con": ["root"]}, "con_invalid"),
        ({"antes": 7}, "antes_invalid"),
        ({"antes": "-1"}, "antes_invalid"),
        ({"antes": "9223372036854775808"}, "antes_invalid"),
        ({"antes": "\u0661"}, "antes_invalid"),
        ({"despues": "x"}, "despues_invalid"),
        ({"antes": "1", "despues": "1"}, "arguments_invalid"),
        ({"limite": 0}, "limite_invalid"),
        ({"limite": 101}, "limite_invalid"),
        ({"limite": "5"}, "limite_invalid"),
        ({"limite": True}, "limite_invalid"),
    ],
)
async def test_invalid_arguments_are_refused(chat: Chat, asked: object, expected: str) -> None:
    """C-70, C-72"""
    ana = await chat.enter("ana")
    assert await code(ana, "historial", asked) == expected
    assert await page(ana) == ([], False)


async def test_an_admin_must_name_the_conversation(chat: Chat) -> None:
    """C-70, C-73, C-77"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    assert await code(root, "historial", {}) == "con_invalid"
    assert await code(ana, "conversaciones") == "admins_only"
    assert await code(root, "conversaciones", {"buscar": ""}) == "buscar_invalid"
    assert await code(root, "conversaciones", {"buscar": 7}) == "buscar_invalid"
    assert await code(root, "conversaciones", {"buscar": "a", "antes": "1"}) == "arguments_invalid"
    await root.emit("historial", {"con": "ana"})  # without an acknowledgement there is no answer
    assert await root.inbox() == []
