"""Answers to senders, over real sockets: acknowledgements, refusals, and `mensaje_error` without an acknowledgement."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from chatd.chat.messages.ids import parts
from chatd.store.base import MessageId
from tests.chat.people import Chat, Person, chatting
from tests.conformance.wire import frame_bytes, text_frame
from tests.store.rig import rows

MESSAGE = {"para": "root", "mensaje": "hola"}


async def test_a_stored_message_is_acknowledged_with_its_id_and_date(chat: Chat, db: Path) -> None:
    """C-15, C-18"""
    ana = await chat.enter("ana")
    before = time.time_ns() // 1_000_000
    stored = await ana.write("root", "hola")
    after = time.time_ns() // 1_000_000
    assert stored == {"ok": True, "id": stored["id"], "fecha": stored["fecha"]}
    assert type(stored["fecha"]) is int
    assert before <= stored["fecha"] <= after
    assert isinstance(stored["id"], str)
    assert before <= parts(MessageId(int(stored["id"]))).ms <= after
    [row] = rows(db)
    assert (str(row.id), row.fecha) == (stored["id"], stored["fecha"])


async def test_ids_grow_across_a_restart(db: Path) -> None:
    """C-18"""
    ids = []
    for _ in range(3):
        async with chatting(db) as chat:
            ana = await chat.enter("ana")
            ids += [int((await ana.write("root", "hola"))["id"]) for _ in range(5)]
    assert ids == sorted(set(ids))
    assert 0 < ids[0] < ids[-1] < 2**63


async def test_every_message_has_its_own_acknowledgement_in_order(chat: Chat) -> None:
    """C-15"""
    ana = await chat.enter("ana")
    asked = [await ana.begin("mensaje_privado", {**MESSAGE, "mensaje": str(number)}) for number in range(100)]
    answers = [await ana.answer(ack_id) for ack_id in asked]
    assert all(answer["ok"] for answer in answers)
    ids = [int(answer["id"]) for answer in answers]
    assert ids == sorted(set(ids))


async def test_without_a_callback_a_stored_message_is_not_answered(chat: Chat, db: Path) -> None:
    """C-15"""
    ana = await chat.enter("ana")
    await ana.emit("mensaje_privado", MESSAGE)
    await ana.write("root", "the next")
    assert await ana.inbox() == []
    assert [row.mensaje for row in rows(db)] == ["hola", "the next"]


REFUSED: list[tuple[list[Any], str]] = [
    ([], "arguments_invalid"),
    ([None], "arguments_invalid"),
    (["root", "hola"], "arguments_invalid"),
    ([["root", "hola"]], "arguments_invalid"),
    ([7], "arguments_invalid"),
    ([{}], "para_invalid"),
    ([{"mensaje": "hola"}], "para_invalid"),
    ([{"para": "", "mensaje": "hola"}], "para_invalid"),
    ([{"para": None, "mensaje": "hola"}], "para_invalid"),
    ([{"para": 7, "mensaje": "hola"}], "para_invalid"),
    ([{"para": True, "mensaje": "hola"}], "para_invalid"),
    ([{"para": ["root"], "mensaje": "hola"}], "para_invalid"),
    ([{"para": {"toString": "root"}, "mensaje": "hola"}], "para_invalid"),
    ([{"para": "x" * 129, "mensaje": "hola"}], "para_invalid"),
    ([{"para": "📦" * 129, "mensaje": "hola"}], "para_invalid"),
    ([{"para": "half an emoji \ud83d", "mensaje": "hola"}], "para_invalid"),
    ([{"para": "\udce6", "mensaje": "hola"}], "para_invalid"),
    ([{"para": "root"}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": ""}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": None}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": 7}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": False}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": ["hola"]}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": {"html": "<b>hola</b>"}}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": "half an emoji \ud83d"}], "mensaje_invalid"),
    ([{"para": "root", "mensaje": "x" * 10_001}], "mensaje_too_long"),
]
"""Arguments of mensaje_privado and the code of the refusal."""


@pytest.mark.parametrize(("arguments", "code"), REFUSED)
async def test_an_error_is_acknowledged_with_its_code(chat: Chat, db: Path, arguments: list[Any], code: str) -> None:
    """C-10, C-11, C-12, C-13"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    refused = await ana.ask("mensaje_privado", *arguments)
    assert refused == {"ok": False, "error": {"code": code, "message": refused["error"]["message"]}}
    assert refused["error"]["message"].endswith(".")
    assert [await ana.inbox(), await root.inbox(), rows(db)] == [[], [], []]


@pytest.mark.parametrize(("arguments", "code"), REFUSED)
async def test_an_error_without_a_callback_is_sent_as_an_event(
    chat: Chat, db: Path, arguments: list[Any], code: str
) -> None:
    """C-13: to the socket that sent it, not to the user's other sockets."""
    ana, other_tab = await chat.enter("ana"), await chat.enter("ana")
    await ana.emit("mensaje_privado", *arguments)
    [[event, error]] = await ana.inbox()
    assert event == "mensaje_error"
    assert error == {"code": code, "message": error["message"]}
    assert [await other_tab.inbox(), rows(db)] == [[], []]


async def test_the_connection_survives_an_error(chat: Chat) -> None:
    """C-13"""
    ana = await chat.enter("ana")
    assert (await ana.write("", ""))["ok"] is False
    assert (await ana.write("root", "right this time"))["ok"] is True


async def test_further_keys_and_arguments_are_ignored(chat: Chat, db: Path) -> None:
    """C-10"""
    ana = await chat.enter("ana")
    assert (await ana.ask("mensaje_privado", {**MESSAGE, "color": "red", "": None}, "more", 7))["ok"] is True
    [row] = rows(db)
    assert (row.para, row.mensaje) == ("root", "hola")


async def test_the_last_of_two_equal_keys_counts(chat: Chat, db: Path) -> None:
    """S-07: as in JavaScript."""
    ana = await chat.enter("ana")
    await ana.websocket.send('420["mensaje_privado",{"para":"x","mensaje":"a","para":"y","mensaje":"b"}]')
    assert (await ana.answer(0))["ok"] is True
    [row] = rows(db)
    assert (row.para, row.mensaje) == ("y", "b")


@pytest.mark.parametrize("mensaje", ["x" * 5, "📦" * 5])
async def test_the_longest_message_is_a_setting_in_characters(db: Path, mensaje: str) -> None:
    """C-12"""
    async with chatting(db, max_message="5") as chat:
        ana = await chat.enter("ana")
        assert (await ana.write("root", mensaje))["ok"] is True
        refused = await ana.write("root", mensaje + "x")
        assert refused["error"] == {"code": "mensaje_too_long", "message": "mensaje is longer than 5 characters."}


UNKNOWN = ["", "mensaje", "Mensaje_privado", "mensaje_privado ", "__proto__", "error", "message", 7, -1.5, "📦"]


@pytest.mark.parametrize("event", UNKNOWN)
async def test_an_unknown_event_with_a_callback_is_refused(chat: Chat, db: Path, event: object) -> None:
    """C-14"""
    ana = await chat.enter("ana")
    refused = await ana.ask(event, MESSAGE)
    assert refused["ok"] is False
    assert refused["error"].keys() == {"code", "message"}
    assert refused["error"]["code"] == "unknown_event"
    assert rows(db) == []


@pytest.mark.parametrize("event", UNKNOWN)
async def test_an_unknown_event_without_a_callback_is_ignored(chat: Chat, event: object) -> None:
    """C-14"""
    ana = await chat.enter("ana")
    await ana.emit(event, MESSAGE)
    assert await ana.inbox() == []


async def test_an_event_with_bytes_is_answered(chat: Chat) -> None:
    """C-12, S-10: bytes are not a text."""
    ana = await chat.enter("ana")
    placeholder = {"_placeholder": True, "num": 0}
    await ana.websocket.send("451-77" + json.dumps(["mensaje_privado", {"para": "root", "mensaje": placeholder}]))
    await ana.websocket.send(b"hola")
    assert (await ana.answer(77))["error"]["code"] == "mensaje_invalid"


async def test_an_unexpected_acknowledgement_is_ignored(chat: Chat) -> None:
    """S-21"""
    ana = await chat.enter("ana")
    await ana.websocket.send('431[{"ok":true}]')
    assert (await ana.write("root", "hola"))["ok"] is True


async def test_a_burst_in_one_segment_is_handled_in_order(chat: Chat, db: Path) -> None:
    """C-16, S-23: however TCP splits it; a DISCONNECT at its end cancels nothing."""
    ana = await chat.enter("ana")
    frames = [text_frame("42" + json.dumps(["mensaje_privado", {**MESSAGE, "mensaje": str(n)}])) for n in range(300)]
    await ana.websocket.send_raw(b"".join([*frames, text_frame("41"), frame_bytes(8, b"")]))
    assert await ana.last_words() == []
    await chat.store.flushed()
    assert [row.mensaje for row in rows(db)] == [str(number) for number in range(300)]


async def test_a_client_may_disconnect_before_the_acknowledgement(chat: Chat, db: Path) -> None:
    """C-15"""
    leavers: list[Person] = [await chat.enter("ana") for _ in range(5)]
    for number, ana in enumerate(leavers):
        await ana.emit("mensaje_privado", {**MESSAGE, "mensaje": str(number)})
        ana.vanish()
    await chat.client.settled()
    assert (await (await chat.enter("berta")).write("root", "still there?"))["ok"] is True
    assert {row.mensaje for row in rows(db)} <= {*map(str, range(5)), "still there?"}


async def test_many_concurrent_clients_get_their_own_answers(chat: Chat, db: Path) -> None:
    """C-15, C-18"""
    people = [await chat.enter(f"user {number}") for number in range(50)]

    async def chatter(person: Person) -> list[str]:
        return [(await person.write("root", str(number)))["id"] for number in range(10)]

    ids = await asyncio.gather(*map(chatter, people))
    by_user = {name: [str(row.id) for row in rows(db) if row.de == name] for name in {row.de for row in rows(db)}}
    assert by_user == {f"user {number}": own for number, own in enumerate(ids)}
