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
