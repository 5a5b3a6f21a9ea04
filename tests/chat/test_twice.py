"""Resent messages, over real sockets and a real database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.chat.daemon import daemon
from tests.chat.people import Chat, Person, chatting
from tests.store.rig import locked, rows


async def begin(person: Person, mensaje: str, cid: object) -> int:
    return await person.begin("mensaje_privado", {"para": "root", "mensaje": mensaje, "cid": cid})


async def send(person: Person, mensaje: str, cid: object) -> Any:
    return await person.answer(await begin(person, mensaje, cid))


async def texts(person: Person) -> list[str]:
    """The unread messages of a person."""
    return [event[1]["mensaje"] for event in await person.inbox()]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_repeat_from_any_socket_is_the_same_message(db: Path, deliver: str) -> None:
    """C-22"""
    async with chatting(db, deliver=deliver, message_rate="0") as chat:
        ana, tab, root = await chat.enter("ana"), await chat.enter("ana"), await chat.enter("root", "admin")
        asked = [(person, await begin(person, f"hola {number}", "c")) for number in range(3) for person in (ana, tab)]
        answers = [await person.answer(ack_id) for person, ack_id in asked]
        answers.append(await send(tab, "hola again", "c"))
        [row] = rows(db)
        assert answers == [{"ok": True, "id": str(row.id), "fecha": row.fecha}] * 7
        assert await texts(root) == [row.mensaje]


async def test_a_repeat_after_a_restart_is_the_same_message(db: Path) -> None:
    """C-22"""
    async with chatting(db) as chat:
        first = await send(await chat.enter("ana"), "hola", "c")
        assert first["ok"] is True
    async with chatting(db) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        assert await send(ana, "hola", "c") == first
        assert (await send(ana, "adiós", "d"))["id"] > first["id"]
        assert await texts(root) == ["adiós"]
    assert [row.mensaje for row in rows(db)] == ["hola", "adiós"]


async def test_the_same_cid_of_another_user_is_another_message(chat: Chat, db: Path) -> None:
    """C-22"""
    ana, eva, root = await chat.enter("ana"), await chat.enter("eva"), await chat.enter("root", "admin")
    answers = [await send(person, "hola", "c") for person in (ana, eva, root)]
    assert len({answer["id"] for answer in answers}) == 3
    assert [row.de for row in rows(db)] == ["ana", "eva", "root"]


GOOD = ["x", "x" * 64, "😀" * 64, "\x00", " ", "\u2028", "null"]
BAD = ["", "x" * 65, None, 7, True, 1.5, ["x"], {"x": 1}, "\ud83d", "x\ude00"]


@pytest.mark.parametrize("cid", GOOD)
async def test_a_cid_is_any_text_that_is_not_too_long(chat: Chat, db: Path, cid: str) -> None:
    """C-21"""
    ana = await chat.enter("ana")
    first = await send(ana, "hola", cid)
    assert first["ok"] is True
    assert await send(ana, "hola", cid) == first
    with sqlite3.connect(db) as connection:
        assert list(connection.execute("SELECT cid FROM mensajes")) == [(cid,)]
    connection.close()


@pytest.mark.parametrize("cid", BAD, ids=ascii)
async def test_a_cid_that_cannot_be_used_is_refused(chat: Chat, db: Path, cid: object) -> None:
    """C-21, C-13: the message is not taken for one without a cid."""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    refused = {"code": "cid_invalid", "message": "cid must be a string of 1 to 64 characters."}
    assert await send(ana, "hola", cid) == {"ok": False, "error": refused}
    await ana.emit("mensaje_privado", {"para": "root", "mensaje": "hola", "cid": cid})
    assert await ana.hear() == ["mensaje_error", refused]
    assert (await texts(root), rows(db)) == ([], [])


async def test_the_order_of_a_sender_is_kept_with_and_without_cids(chat: Chat) -> None:
    """C-23: here the first message of each user with a cid needs a read of the database."""
    root = await chat.enter("root", "admin")
    for user in range(20):
        person = await chat.enter(f"user {user}")
        for number in range(10):
            named = {"cid": str(number)} if number % 3 == 0 else {}
            await person.emit("mensaje_privado", {"para": "root", "mensaje": f"{user} {number}", **named})
    heard = [event[1]["mensaje"].split() for event in [await root.hear() for _ in range(200)]]
    for user in range(20):
        assert [int(number) for who, number in heard if int(who) == user] == list(range(10))


@pytest.mark.parametrize(("deliver", "seen"), [("at_once", ["hola", "hola"]), ("stored", ["hola"])])
async def test_an_unstored_message_can_be_resent_with_the_same_cid(db: Path, deliver: str, seen: list[str]) -> None:
    """C-24, C-17"""
    async with chatting(db, busy_timeout="0", deliver=deliver) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            assert (await send(ana, "hola", "c"))["error"]["code"] == "store_unavailable"
        second = await send(ana, "hola", "c")
        assert second["ok"] is True
        assert await send(ana, "hola", "c") == second
        assert await texts(root) == seen
    assert [str(row.id) for row in rows(db)] == [second["id"]]


async def test_a_repeat_waits_with_the_first_for_the_disk(db: Path) -> None:
    """C-22: both are answered together."""
    async with chatting(db, busy_timeout="30") as chat:
        ana, tab, root = await chat.enter("ana"), await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            first = await begin(ana, "hola", "c")
            assert await root.hear() == ["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]
            again = await begin(tab, "hola", "c")
            assert await tab.inbox() == []
        assert await tab.answer(again) == await ana.answer(first)
        assert await texts(root) == []
    assert len(rows(db)) == 1


async def test_a_stop_stores_messages_that_wait_for_a_lookup(db: Path) -> None:
    """C-20, C-23"""
    async with daemon(db, "--message-rate", "0") as chatd:
        ana = await chatd.enter("ana")
        asked = [await begin(ana, str(number), str(number)) for number in range(100)]
        assert await ana.inbox() == []  # the daemon has read all messages
        chatd.terminate()
        answers = [await ana.answer(ack_id) for ack_id in asked]
        ana.websocket.close()
        assert await chatd.ended() == 0
        assert chatd.faults == []
    assert [str(row.id) for row in rows(db)] == [answer["id"] for answer in answers]


@pytest.mark.parametrize(("deliver", "seen"), [("at_once", 1), ("stored", 0)])
async def test_after_a_kill_before_the_commit_the_message_can_be_resent(db: Path, deliver: str, seen: int) -> None:
    """C-24: a message delivered before the kill is delivered again; with `stored` it was not delivered before."""
    async with daemon(db, "--busy-timeout", "60", "--deliver", deliver) as chatd:
        ana, root = await chatd.enter("ana"), await chatd.enter("root", "admin")
        with locked(db):
            await begin(ana, "hola", "c")
            assert await ana.inbox() == []
            if seen:
                assert await root.hear() == ["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]
            assert await root.inbox() == []
            chatd.process.kill()
            await chatd.process.wait()
    assert rows(db) == []
    async with daemon(db, "--deliver", deliver) as chatd:
        ana, root = await chatd.enter("ana"), await chatd.enter("root", "admin")
        answer = await send(ana, "hola", "c")
        assert await send(ana, "hola", "c") == answer
        assert await texts(root) == ["hola"]
    assert [str(row.id) for row in rows(db)] == [answer["id"]]


async def test_a_kill_after_the_commit_changes_nothing(db: Path) -> None:
    """C-15, C-22"""
    async with daemon(db) as chatd:
        answer = await send(await chatd.enter("ana"), "hola", "c")
        chatd.process.kill()
        await chatd.process.wait()
    async with daemon(db) as chatd:
        ana, root = await chatd.enter("ana"), await chatd.enter("root", "admin")
        assert await send(ana, "hola", "c") == answer
        assert await texts(root) == []
    assert len(rows(db)) == 1
