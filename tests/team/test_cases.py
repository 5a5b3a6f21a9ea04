"""Assignment of conversations, and unanswered ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import chain

from tests.chat.people import Person
from tests.store.rig import Base
from tests.team.people import Team, listed, news_of, team_chat


async def test_the_first_answer_claims_and_every_admin_sees_it(team: Team) -> None:
    """D-01, D-06, D-07"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    await ana.write("soporte", "¿hola?")
    waiting = await news_of(boss, "ana", estado="abierto")
    assert "espera" in waiting
    stored = await root.write("ana", "dime")
    claimed = await news_of(boss, "ana", estado="atendido")
    assert claimed["atiende"] == "root"
    assert "espera" not in claimed
    page = await boss.ask("historial", {"con": "ana"})
    assert [message["id"] for message in page["mensajes"]][-1] == stored["id"]


async def test_the_first_of_two_claims_wins_and_the_other_admin_may_take_over(team: Team) -> None:
    """D-07"""
    root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
    await ana.write("soporte", "¿hola?")
    answer = await root.ask("atender", {"con": "ana"})
    assert answer["caso"]["atiende"] == "root"
    refused = await boss.ask("atender", {"con": "ana"})
    assert (refused["error"]["code"], refused["error"]["atiende"]) == ("claimed", "root")
    assert (await boss.ask("soltar", {"con": "ana"}))["error"]["code"] == "claimed"
    taken = await boss.ask("atender", {"con": "ana", "relevo": True})
    assert taken["caso"]["atiende"] == "boss"
    await news_of(root, "ana", atiende="boss")
    assert (await boss.ask("soltar", {"con": "ana"}))["caso"]["estado"] == "abierto"
    assert (await boss.ask("soltar", {"con": "ana"}))["caso"]["estado"] == "abierto"


async def test_a_resolved_case_opens_again_when_its_user_writes(team: Team) -> None:
    """D-08"""
    root, ana = await team.admin("root"), await team.user("ana")
    first = await ana.write("soporte", "¿hola?")
    await root.write("ana", "dime")
    resolved = (await root.ask("resolver", {"con": "ana", "hasta": first["id"]}))["caso"]
    assert (resolved["estado"], resolved["cerro"]) == ("resuelto", "root")
    assert await listed(root, filtro="resueltas") == ["ana"]
    await ana.write("soporte", "otra cosa")
    again = await news_of(root, "ana", estado="abierto")
    assert "espera" in again
    assert await listed(root, filtro="resueltas") == []
    assert await listed(root, filtro="sin_responder") == ["ana"]


async def test_a_message_that_arrives_during_resolve_keeps_the_case_open(team: Team) -> None:
    """D-08"""
    root, ana = await team.admin("root"), await team.user("ana")
    seen = await ana.write("soporte", "¿hola?")
    await ana.write("soporte", "y otra cosa")
    answer = await root.ask("resolver", {"con": "ana", "hasta": seen["id"]})
    assert answer["caso"]["estado"] == "abierto" or await listed(root, filtro="sin_responder") == ["ana"]
    assert await listed(root, filtro="sin_responder") == ["ana"]


async def test_a_claim_ends_when_its_admin_is_offline_for_long(base: Base) -> None:
    """D-09"""
    async with team_chat(base, claim_timeout="0.3", presence_grace="0.1") as team:
        root, boss, ana = await team.admin("root"), await team.admin("boss"), await team.user("ana")
        await ana.write("soporte", "¿hola?")
        await root.ask("atender", {"con": "ana"})
        await news_of(boss, "ana", atiende="root")
        root.vanish()
        assert (await news_of(boss, "ana", estado="abierto"))["espera"]


async def test_filters_and_counts(team: Team) -> None:
    """D-12"""
    root = await team.admin("root")
    for user in ("ana", "eva", "leo", "zoe"):
        person = await team.user(user)
        await person.write("soporte", "¿hola?")
    assert await listed(root, filtro="sin_responder") == ["ana", "eva", "leo", "zoe"]  # the longest wait first
    await root.write("eva", "dime")
    await root.ask("resolver", {"con": "leo"})
    answer = await root.ask("conversaciones", {"filtro": "mias"})
    assert [entry["con"] for entry in answer["conversaciones"]] == ["eva"]
    assert answer["cuentas"] == {"mias": 1, "libres": 2, "sin_responder": 2, "resueltas": 1}
    assert await listed(root, filtro="libres") == ["zoe", "ana"]
    assert await listed(root, filtro="resueltas") == ["leo"]
    assert await listed(root) == ["eva", "zoe", "leo", "ana"]
    assert await listed(root, filtro="sin_responder", limite=1) == ["ana"]


async def test_the_longest_waits_have_pages_that_go_on_where_they_ended(team: Team) -> None:
    """D-12: although the last of a page was answered or resolved, or wrote again, before the next page."""
    root = await team.admin("root")
    users = ["ana", "eva", "leo", "zoe"]
    people = {user: await team.user(user) for user in users}
    await people["eva"].write("soporte", "antes")
    await root.write("eva", "dime")
    for user in users:
        await people[user].write("soporte", "¿hola?")
    page = await root.ask("conversaciones", {"filtro": "sin_responder", "limite": 2})
    assert [entry["con"] for entry in page["conversaciones"]] == ["ana", "eva"]
    asked = {"filtro": "sin_responder", "antes": page["conversaciones"][-1]["ultimo"]["id"]}
    await people["eva"].write("soporte", "¿hay alguien?")
    assert await listed(root, **asked) == ["leo", "zoe"]
    await root.write("eva", "dime")
    assert await listed(root, **asked) == ["leo", "zoe"]
    await people["eva"].write("soporte", "otra cosa")
    assert await listed(root, **asked) == ["leo", "zoe", "eva"]


async def by_waiting(admin: Person, **asked: object) -> AsyncIterator[list[str]]:
    """The users of each page of a list by waiting."""
    while asked.get("antes", "") is not None:
        page = await admin.ask("conversaciones", {"orden": "espera", **asked})
        assert page["ok"], page
        assert ("sigue" in page) == page["hay_mas"]
        yield [entry["con"] for entry in page["conversaciones"]]
        asked["antes"] = page.get("sigue")


async def test_any_list_of_open_cases_can_begin_with_the_longest_wait(team: Team) -> None:
    """D-18"""
    root, boss = await team.admin("root"), await team.admin("boss")
    people = {user: await team.user(user) for user in ("ana", "eva", "leo", "max", "zoe")}
    for user, person in people.items():
        await person.write("soporte", f"soy {user}")
    await boss.write("root", "¿comemos?")
    await root.write("leo", "dime")  # claims leo
    await root.ask("atender", {"con": "eva"})
    await root.write("zoe", "dime")
    await news_of(root, "zoe", atiende="root")
    await root.ask("soltar", {"con": "zoe"})
    await people["zoe"].write("soporte", "otra cosa")
    await people["ana"].write("soporte", "¿hola?")  # waits since its first message
    await root.ask("resolver", {"con": "max"})
    assert await listed(root, orden="espera") == ["ana", "eva", "zoe", "leo", "boss", "max"]
    assert await listed(root, orden="espera", filtro="mias") == ["eva", "leo"]
    assert await listed(root, orden="espera", filtro="libres") == ["ana", "zoe"]
    assert await listed(root, orden="espera", filtro="sin_responder") == ["ana", "eva", "zoe"]
    for size in (1, 2, 3, 4, 5):
        pages = [page async for page in by_waiting(root, limite=size)]
        assert list(chain(*pages)) == ["ana", "eva", "zoe", "leo", "boss", "max"]
        assert {len(page) for page in pages[:-1]} <= {size}
    assert [page async for page in by_waiting(root, limite=1, filtro="mias")] == [["eva"], ["leo"]]


async def test_pages_by_waiting_stay_stable_while_cases_change(team: Team) -> None:
    """D-18"""
    root = await team.admin("root")
    people = {user: await team.user(user) for user in ("ana", "eva", "leo", "zoe")}
    for user, person in people.items():
        await person.write("soporte", f"soy {user}")
    pages = by_waiting(root, limite=2)
    assert await anext(pages) == ["ana", "eva"]
    await root.ask("resolver", {"con": "eva"})  # the page ended with it
    await people["ana"].write("soporte", "¿hay alguien?")
    await root.write("zoe", "dime")
    assert await anext(pages) == ["leo", "zoe"]
    await people["zoe"].write("soporte", "otra cosa")
    await people["leo"].write("soporte", "otra cosa")
    assert await anext(pages) == ["eva"]


async def test_a_wrong_order_or_place_is_refused(team: Team) -> None:
    """D-18"""
    root = await team.admin("root")
    for asked, code in (
        ({"orden": "x"}, "orden_invalid"),
        ({"orden": 1}, "orden_invalid"),
        ({"orden": ["espera"]}, "orden_invalid"),
        ({"orden": "espera", "antes": "12"}, "antes_invalid"),
        ({"orden": "espera", "antes": "espera-"}, "antes_invalid"),
        ({"orden": "espera", "antes": "espera-9999999999999999999"}, "antes_invalid"),
        ({"orden": "espera", "antes": "espera-1\n"}, "antes_invalid"),
        ({"orden": "espera", "antes": 12}, "antes_invalid"),
        ({"antes": "espera-12"}, "antes_invalid"),
        ({"orden": "espera", "buscar": "ana"}, "arguments_invalid"),
        ({"orden": "espera", "filtro": "resueltas"}, "arguments_invalid"),
    ):
        answer = await root.ask("conversaciones", asked)
        assert answer["error"]["code"] == code, asked
    assert (await root.ask("conversaciones", {"orden": None}))["ok"]


async def test_cases_catch_up_with_messages_stored_before_the_start(base: Base) -> None:
    """D-10: after SIGKILL, and after a run without a team."""
    async with team_chat(base, admin_messages="direct", payload="brief", presence="off") as before:
        root, ana, eva = await before.admin("root"), await before.user("ana"), await before.user("eva")
        await ana.write("soporte", "¿hola?")
        await eva.write("soporte", "¿hola?")
        await root.write("eva", "dime")
    async with team_chat(base) as team:
        root = await team.admin("root")
        assert await listed(root, filtro="sin_responder") == ["ana"]
        assert await listed(root, filtro="resueltas") == ["eva"]


async def test_the_waiting_time_of_users_is_measured(base: Base) -> None:
    """D-11"""
    async with team_chat(base) as team:
        root, ana = await team.admin("root"), await team.user("ana")
        waits = team.waits
        await ana.write("soporte", "¿hola?")
        await news_of(root, "ana", estado="abierto")
        await root.write("ana", "dime")
        await news_of(root, "ana", estado="atendido")
        assert (waits.first_answer_s.count, waits.answer_s.count) == (1, 1)
        await ana.write("soporte", "otra cosa")
        waiting = await news_of(root, "ana")
        assert "espera" in waiting
        await root.write("ana", "dime")
        await root.ask("conversaciones")
        assert (waits.first_answer_s.count, waits.answer_s.count) == (1, 2)


async def test_an_answer_to_a_resolved_case_claims_nothing(team: Team) -> None:
    """D-07, D-08"""
    root, ana = await team.admin("root"), await team.user("ana")
    await ana.write("soporte", "¿hola?")
    await root.write("ana", "dime")
    await root.ask("resolver", {"con": "ana"})
    await root.write("ana", "¡hasta luego!")
    assert await listed(root, filtro="resueltas") == ["ana"]
    assert (await root.ask("atender", {"con": "ana"}))["caso"]["estado"] == "atendido"
    assert await listed(root, filtro="resueltas") == []


async def test_invalid_arguments_are_refused(team: Team) -> None:
    """D-07, D-08, D-12"""
    root = await team.admin("root")
    for event, asked, code in (
        ("atender", {}, "con_invalid"),
        ("atender", {"con": "ana", "relevo": 1}, "relevo_invalid"),
        ("resolver", {"con": "ana", "hasta": 7}, "hasta_invalid"),
        ("conversaciones", {"filtro": 7}, "filtro_invalid"),
        ("conversaciones", {"filtro": "mias", "buscar": "a"}, "arguments_invalid"),
    ):
        assert (await root.ask(event, asked))["error"]["code"] == code
