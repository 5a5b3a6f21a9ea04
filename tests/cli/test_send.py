from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint


@pytest.mark.parametrize("author", ["", "x" * 129])
async def test_an_author_who_is_nobody_is_refused(tmp_path: Path, author: str) -> None:
    """What is stored must be what `chatd import` takes."""
    db = tmp_path / "chatd.db"
    async with daemon(db):
        done = await asyncio.to_thread(chatd, "send", "--to", "ana", "--from", author, "hola", "--db", db)
    assert complaint(done, EXIT_FAILED).startswith("chatd: from ")


async def test_a_user_who_is_away_is_named_and_finds_the_message_later(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with daemon(db) as running:
        away = await asyncio.to_thread(chatd, "send", "--to", "ana", "hola", "--db", db)
        assert (away.returncode, away.stderr) == (0, "chatd: ana is away: it waits in the history\n")
        ana = await running.enter("ana")
        [message] = (await ana.ask("historial", {"con": "admin"}))["mensajes"]
        assert (message["id"], message["mensaje"]) == (away.stdout.strip(), "hola")
        here = await asyncio.to_thread(chatd, "send", "--to", "ana", "hola", "--db", db)
        assert (here.returncode, here.stderr) == (0, "")
