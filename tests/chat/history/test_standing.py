"""`conversacion`: the state of a conversation, over real sockets and from a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatd.chat.history import standing
from tests.chat.people import Chat, Person, chatting
from tests.conformance.wire import text_frame

NOTHING = {"ok": True, "leido": None, "leido_por": None}


async def stands(person: Person, con: str) -> Any:
    return await person.ask("conversacion", {"con": con, "more": 1}, "and more")


async def test_conversacion_has_the_marks_of_both_sides(chat: Chat) -> None:
    """C-56: and only of that conversation."""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    sent, answered = (await ana.write("root", "hola"))["id"], (await root.write("ana", "hola"))["id"]
    assert await stands(ana, "root") == await stands(root, "ana") == NOTHING
    await ana.ask("leido", {"con": "root", "hasta": answered})
    await root.ask("leido", {"con": "ana", "hasta": sent})
    assert await stands(ana, "root") == {"ok": True, "leido": answered, "leido_por": sent}
    assert await stands(root, "ana") == {"ok": True, "leido": sent, "leido_por": answered}
    assert await stands(ana, "boss") == await stands(await chat.enter("boss", "admin"), "ana") == NOTHING


async def test_conversacion_is_the_same_after_a_restart(db: Path) -> None:
    """C-56, C-49"""
    async with chatting(db) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        stored = await root.write("ana", "hola")
        await ana.ask("leido", {"con": "root", "hasta": stored["id"]})
    async with chatting(db) as chat:
        assert await stands(await chat.enter("root", "admin"), "ana") == {**NOTHING, "leido_por": stored["id"]}


async def test_an_admin_is_also_told_online_state_and_last_seen(db: Path) -> None:
    """C-57, C-46: users are not told."""
    async with chatting(db, presence="on", presence_grace="0") as chat:
        root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
        assert await stands(root, "eva") == {**NOTHING, "en_linea": False, "visto": None}
        here = await stands(root, "ana")
        assert here == {**NOTHING, "en_linea": True, "visto": here["visto"]}
        [listed] = [one for one in (await root.ask("conectados"))["conectados"] if one["user"] == "ana"]
        assert here["visto"] == listed["desde"]
        assert await stands(ana, "root") == NOTHING

        ana.vanish()
        while (event := (await root.hear())[1])["en_linea"]:
            pass
        await chat.store.flushed()
        assert await stands(root, "ana") == {**NOTHING, "en_linea": False, "visto": event["visto"]}


async def test_concurrent_questions_each_get_their_answer(chat: Chat) -> None:
    """C-56: one task answers all, and then ends."""
    people = [await chat.enter(f"user {number}") for number in range(5)]
    asked = [(person, await person.begin("conversacion", {"con": "root"})) for person in people for _ in range(20)]
    assert [await person.answer(ack) for person, ack in asked] == [NOTHING] * 100
    assert await stands(people[0], "eva") == NOTHING


async def test_a_client_may_disconnect_before_its_answer(chat: Chat) -> None:
    """C-56"""
    ana, eva = await chat.enter("ana"), await chat.enter("eva")
    for _ in range(20):
        await ana.begin("conversacion", {"con": "root"})
    ana.vanish()
    assert await stands(eva, "root") == NOTHING


async def test_an_unreadable_database_is_an_error(chat: Chat) -> None:
    """C-56, C-17"""
    ana = await chat.enter("ana")
    await chat.sqlite("ALTER TABLE leidos RENAME TO hidden")
    assert (await stands(ana, "root"))["error"]["code"] == "store_unavailable"
    await chat.sqlite("ALTER TABLE hidden RENAME TO leidos")
    assert await stands(ana, "root") == NOTHING


@pytest.mark.parametrize("bound", ["MAX_WAITING", "MAX_WAITING_EACH"])
async def test_a_user_who_fills_the_queue_is_refused_and_others_are_not(
    db: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """C-56: events in one segment are read in one turn."""
    monkeypatch.setattr(standing, bound, 3)
    async with chatting(db) as chat:
        ana, eva = await chat.enter("ana"), await chat.enter("eva")
        frames = [text_frame(f'42{10 + number}["conversacion",{{"con":"root"}}]') for number in range(5)]
        await ana.websocket.send_raw(b"".join(frames))
        assert await stands(eva, "root") == NOTHING
        answers = [await ana.answer(10 + number) for number in range(5)]
        assert answers[:3] == [NOTHING] * 3
        assert [answer["error"]["code"] for answer in answers[3:]] == ["store_busy"] * 2
        assert await stands(ana, "root") == NOTHING


@pytest.mark.parametrize(
    ("argument", "code"),
    [("root", "arguments_invalid"), ({}, "con_invalid"), ({"con": ""}, "con_invalid"), ({"con": 7}, "con_invalid")],
)
async def test_a_mistake_is_refused_with_a_code(chat: Chat, argument: object, code: str) -> None:
    """C-56, C-13"""
    ana = await chat.enter("ana")
    await ana.emit("conversacion", argument)
    assert (await ana.ask("conversacion", argument))["error"]["code"] == code
    assert await ana.inbox() == []
