"""Names of users: stored, shown and searched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.store.words import fold
from chatd.team.folding import anywhere
from tests.chat.people import Person
from tests.store.rig import Base, ask
from tests.team.people import Team, listed, team_chat


async def kept(base: Base, count: int) -> list[tuple[Any, ...]]:
    """The table of names, once it has `count` rows."""
    async with asyncio.timeout(10):
        while len(found := ask(base, "SELECT quien, nombre, admin FROM nombres ORDER BY quien")) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def test_a_users_name_is_stored_from_its_token_at_each_connection(base: Base) -> None:
    """D-04"""
    async with team_chat(base) as team:
        await team.user("ana", "Ana María")
        await team.admin("root", "Root")
        assert await kept(base, 2) == [("ana", "Ana María", 0), ("root", "Root", 1)]
    async with team_chat(base) as team:
        await team.user("ana", "Ana M.")
        await team.user("root", "Root")
        await team.user("zoe", "Zoe")
        assert await kept(base, 3) == [("ana", "Ana M.", 0), ("root", "Root", 0), ("zoe", "Zoe", 0)]


async def test_admins_see_names_and_roles(base: Base) -> None:
    """D-04, D-16"""
    async with team_chat(base) as team:
        root, ana = await team.admin("root", "Root"), await team.user("ana", "Ana María")
        await ana.write("soporte", "¿hola?")
        await kept(base, 2)
        here = (await root.ask("conectados"))["conectados"]
        assert [(each["user"], each["nombre"], each.get("rol")) for each in here] == [
            ("ana", "Ana María", None),
            ("root", "Root", "admin"),
        ]
        [entry] = (await root.ask("conversaciones"))["conversaciones"]
        assert (entry["con"], entry["nombre"]) == ("ana", "Ana María")
        about = await root.ask("conversacion", {"con": "ana"})
        assert (about["nombre"], about["conocido"], about["caso"]["con"]) == ("Ana María", True, "ana")
        assert not (await root.ask("conversacion", {"con": "nobody"}))["conocido"]
        assert (await ana.ask("conversacion", {"con": "root"})).keys() == {"ok", "leido", "leido_por"}


async def write_all(team: Team, people: dict[str, str]) -> None:
    for user, name in people.items():
        person: Person = await team.user(user, name)
        await person.write("soporte", "¿hola?")


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("JOSE", ["jgarcia", "pepe"]),
        ("garcía", ["jgarcia"]),
        ("ARCI", ["jgarcia"]),
        ("100%", ["sale"]),
        ("0_", []),
        ("zz", []),
    ],
)
async def test_a_search_finds_any_part_of_both_names_without_case_and_accents(
    base: Base, sought: str, found: list[str]
) -> None:
    """D-05"""
    async with team_chat(base) as team:
        root = await team.admin("root", "José Root")
        await write_all(team, {"jgarcia": "José", "pepe": "Jose\u0301 Pérez", "sale": "100% off", "zoe": "Zoe"})
        await kept(base, 5)
        assert await listed(root, buscar=sought) == found


def test_folding() -> None:
    """D-05"""
    assert fold("ÑANDÚ Straße") == fold("nandu STRASSE")
    assert anywhere("50%_!") == "%50!%!_!!%"


async def test_admins_are_not_listed_among_the_users(team: Team) -> None:
    """D-12"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    await root.write("ana", "¿qué tal?")
    await ana.write("soporte", "bien")
    await boss.write("root", "lunch?")
    answer = await root.ask("conversaciones")
    assert [(each["con"], each.get("rol")) for each in answer["conversaciones"]] == [("boss", "admin"), ("ana", None)]
    assert [each["no_leidos"] for each in answer["conversaciones"]] == [1, 1]
    assert await listed(boss) == ["root", "ana"]
    assert (await root.ask("no_leidos"))["no_leidos"] == {"ana": 1, "boss": 1}


async def test_a_conversation_answered_by_a_colleague_is_not_unread(team: Team) -> None:
    """D-13"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    await ana.write("soporte", "¿hola?")
    assert (await boss.ask("no_leidos", {"con": "ana"}))["no_leidos"] == {"ana": 1}
    await root.write("ana", "dime")
    assert (await boss.ask("no_leidos", {"con": "ana"}))["no_leidos"] == {}
    assert (await boss.ask("no_leidos"))["no_leidos"] == {}
    last = await ana.write("soporte", "otra cosa")
    assert (await boss.ask("no_leidos"))["no_leidos"] == {"ana": 1}
    await boss.ask("leido", {"con": "ana", "hasta": last["id"]})
    assert (await boss.ask("no_leidos"))["no_leidos"] == {}
    assert (await root.ask("no_leidos"))["no_leidos"] == {"ana": 1}


async def test_an_admin_can_mark_an_answered_conversation_as_unread(team: Team) -> None:
    """D-13, C-86, C-87"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    first, last = await ana.write("soporte", "¿hola?"), await ana.write("soporte", "otra cosa")
    await root.write("ana", "dime")
    assert (await boss.ask("no_leido", {"con": "ana", "desde": last["id"]}))["ok"]
    assert (await boss.ask("no_leidos"))["no_leidos"] == {"ana": 1}
    assert (await root.ask("no_leidos"))["no_leidos"] == {}
    await boss.ask("leido", {"con": "ana", "hasta": first["id"]})
    assert (await boss.ask("no_leidos", {"con": "ana"}))["no_leidos"] == {"ana": 1}
    await boss.ask("leido_todo", {"hasta": last["id"]})
    assert (await boss.ask("no_leidos"))["no_leidos"] == {}


async def test_messages_between_users_are_not_unanswered(base: Base) -> None:
    """D-06"""
    async with team_chat(base) as team:
        root, ana, eva = await team.admin("root"), await team.user("ana"), await team.user("eva")
        await kept(base, 3)
        await ana.write("eva", "hola")
        await eva.write("soporte", "¿hola?")
        assert await listed(root, filtro="sin_responder") == ["eva"]


async def test_a_user_is_told_the_names_of_admins_who_wrote_to_it_and_no_others(base: Base) -> None:
    """D-17"""
    async with team_chat(base, admin_names="on") as team:
        root, _boss = await team.admin("root", "Root María"), await team.admin("boss", "Boss")
        ana, zoe = await team.user("ana"), await team.user("zoe", "Zoe")
        await root.write("ana", "dime")
        await zoe.write("ana", "hi")
        await kept(base, 4)
        assert await ana.ask("firma", {"con": "root"}) == {"ok": True, "nombre": "Root María"}
        for other in ("boss", "zoe", "nobody", "ana"):
            assert await ana.ask("firma", {"con": other}) == {"ok": True}, other
        assert await zoe.ask("firma", {"con": "root"}) == {"ok": True}
        for wrong in ("", None, 7):
            assert (await ana.ask("firma", {"con": wrong}))["error"]["code"] == "con_invalid"


async def test_an_admins_private_message_from_before_the_team_counts_too(base: Base) -> None:
    """D-17"""
    async with team_chat(base, admin_messages="direct") as before:
        root, ana = await before.admin("root"), await before.user("ana")
        await root.write("ana", "dime")
    async with team_chat(base, admin_names="on") as team:
        await team.admin("root", "Root")
        ana = await team.user("ana")
        await kept(base, 2)
        assert await ana.ask("firma", {"con": "root"}) == {"ok": True, "nombre": "Root"}


async def test_names_of_admins_are_not_told_unless_the_site_says_so(team: Team) -> None:
    """D-17"""
    root, ana = await team.admin("root"), await team.user("ana")
    await root.write("ana", "dime")
    assert (await ana.ask("firma", {"con": "root"}))["error"]["code"] == "unknown_event"
