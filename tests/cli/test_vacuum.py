from __future__ import annotations

import asyncio
from pathlib import Path

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, rows, store


def test_free_pages_after_a_prune_are_reported_and_released(tmp_path: Path) -> None:
    db = tmp_path / "chat.db"
    store(db, [message(number, mensaje="x" * 9000) for number in range(300)])
    before = db.stat().st_size
    told = chatd("prune", "--before", "2026-10-01", "--db", db)
    assert "chatd vacuum gives them back" in told.stdout
    assert db.stat().st_size >= before
    left = rows(db)
    done = chatd("vacuum", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert db.stat().st_size < before / 2
    assert rows(db) == left


async def test_vacuum_is_refused_while_a_daemon_runs(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chat.db"):
        done = await asyncio.to_thread(chatd, "vacuum", "--db", tmp_path / "chat.db")
        assert "in use by another chatd" in complaint(done, EXIT_CONFIG)
