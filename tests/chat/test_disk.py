"""A database that cannot be written for a while, over real sockets: senders get an error, and it recovers by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chat.people import Chat, chatting
from tests.store.rig import locked, rows


def refusal(code: str, answer: Any) -> bool:
    """Whether a message was refused with that code and an error text."""
    return bool(answer == {"ok": False, "error": {"code": code, "message": answer["error"]["message"]}})


async def test_while_the_database_is_locked_messages_are_refused(db: Path) -> None:
    """C-17"""
    async with chatting(db, busy_timeout="0") as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            assert refusal("store_unavailable", await ana.write("root", "one"))
            await ana.emit("mensaje_privado", {"para": "root", "mensaje": "two"})
            event, error = await ana.hear()
            assert (event, error.keys(), error["code"]) == ("mensaje_error", {"code", "message"}, "store_unavailable")
        assert (await ana.write("root", "three"))["ok"] is True
        assert [row.mensaje for row in rows(db)] == ["three"]
        # `at_once` delivers before the commit is known to have failed.
        assert [event[1]["mensaje"] for event in await root.inbox()] == ["one", "two", "three"]


async def test_a_full_database_refuses_messages(chat: Chat, db: Path) -> None:
    """C-17: SQLite's page limit has the error of a full disk."""
    ana = await chat.enter("ana")
    await chat.sqlite("PRAGMA max_page_count = 1")
    answers = [await ana.write("root", "x" * 9_000) for _ in range(3)]
    assert refusal("store_full", answers[-1])
    await chat.sqlite("PRAGMA max_page_count = 1000000")
    assert (await ana.write("root", "room again"))["ok"] is True
    assert rows(db)[-1].mensaje == "room again"


async def test_a_read_only_database_refuses_until_it_is_writable(chat: Chat, db: Path) -> None:
    """C-17"""
    ana = await chat.enter("ana")
    await chat.sqlite("PRAGMA query_only = 1")
    assert refusal("store_unavailable", await ana.write("root", "one"))
    await chat.sqlite("PRAGMA query_only = 0")
    assert (await ana.write("root", "two"))["ok"] is True
    assert [row.mensaje for row in rows(db)] == ["two"]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_messages_waiting_for_the_disk_are_bounded(db: Path, deliver: str) -> None:
    """C-17: a message over the bound is refused at once and not delivered."""
    async with chatting(db, busy_timeout="30", max_waiting_rows="3", deliver=deliver) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            asked = [
                await ana.begin("mensaje_privado", {"para": "root", "mensaje": str(number)}) for number in range(3)
            ]
            assert refusal("store_busy", await ana.write("root", "one too many"))
        assert [(await ana.answer(ack_id))["ok"] for ack_id in asked] == [True] * 3
        assert [event[1]["mensaje"] for event in await root.inbox()] == ["0", "1", "2"]
        assert [row.mensaje for row in rows(db)] == ["0", "1", "2"]
