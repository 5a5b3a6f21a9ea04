from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint


@pytest.mark.parametrize("author", ["", "x" * 129])
async def test_an_invalid_author_is_refused(tmp_path: Path, author: str) -> None:
    """A stored message must be one that `chatd import` accepts."""
    db = tmp_path / "chatd.db"
    async with daemon(db):
        done = await asyncio.to_thread(chatd, "send", "--to", "ana", "--from", author, "hola", "--db", db)
    assert complaint(done, EXIT_FAILED).startswith("chatd: from ")


async def test_an_offline_user_is_reported_and_gets_the_message_later(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with daemon(db) as running:
        away = await asyncio.to_thread(chatd, "send", "--to", "ana", "hola", "--db", db)
        assert (away.returncode, away.stderr) == (0, "chatd: ana is away: it waits in the history\n")
        ana = await running.enter("ana")
        [message] = (await ana.ask("historial", {"con": "admin"}))["mensajes"]
        assert (message["id"], message["mensaje"]) == (away.stdout.strip(), "hola")
        here = await asyncio.to_thread(chatd, "send", "--to", "ana", "hola", "--db", db)
        assert (here.returncode, here.stderr) == (0, "")
