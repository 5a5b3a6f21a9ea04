"""Whether anybody is here to answer: all that users hear of admins."""

from __future__ import annotations

from pathlib import Path

from tests.chat.people import chatting


async def test_it_is_so_while_an_admin_is_connected(db: Path) -> None:
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


async def test_without_presence_there_is_no_such_event(db: Path) -> None:
    """C-78"""
    async with chatting(db, presence="off") as chat:
        ana = await chat.enter("ana")
        assert (await ana.ask("atencion"))["error"]["code"] == "unknown_event"
