"""`atencion`: whether an admin is online, the only presence that users are told."""

from __future__ import annotations

from pathlib import Path

from tests.chat.people import chatting


async def test_users_are_told_whether_an_admin_is_connected(db: Path) -> None:
    """C-78"""
    async with chatting(db, presence="on") as chat:
        ana = await chat.enter("ana")
        assert await ana.ask("atencion") == {"ok": True, "atendido": False}
        await chat.enter("eva")
        assert await ana.ask("atencion") == {"ok": True, "atendido": False}
        root = await chat.enter("root", "admin")
        assert await ana.ask("atencion") == {"ok": True, "atendido": True}
        await root.leave()
        assert await ana.ask("atencion") == {"ok": True, "atendido": False}


async def test_without_presence_the_event_is_unknown(db: Path) -> None:
    """C-78"""
    async with chatting(db, presence="off") as chat:
        ana = await chat.enter("ana")
        assert (await ana.ask("atencion"))["error"]["code"] == "unknown_event"
