"""`chatd health`: the exit code for a container's health check."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED, EXIT_USAGE
from tests.chat.daemon import Daemon, daemon
from tests.cli.command import chatd, complaint


async def internal_of(running: Daemon) -> str:
    line = next((line for line in running.log if line["message"] == "listening for operators"), None)
    told = line or await running.logged("listening for operators")
    return f"{told['host']}:{told['port']}"


async def test_a_daemon_that_answers_is_healthy_and_ready(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with daemon(db, "--internal", "127.0.0.1:0") as running:
        where = ("--internal", await internal_of(running))
        for flags, said in ((("--db", db), "ok\n"), (where, "ok, the loop was "), ((*where, "--ready"), "ready\n")):
            done = await asyncio.to_thread(chatd, "health", *flags)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith(said)


async def test_a_daemon_that_cannot_write_is_healthy_and_not_ready(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with daemon(db, "--internal", "127.0.0.1:0") as running:
        where = ("--internal", await internal_of(running))
        db.rename(tmp_path / "elsewhere.db")
        assert (await asyncio.to_thread(chatd, "health", *where)).returncode == 0
        line = complaint(await asyncio.to_thread(chatd, "health", "--ready", *where), EXIT_FAILED)
        assert str(db) in line


@pytest.mark.parametrize("by_http", [True, False])
async def test_a_daemon_that_hangs_is_not_healthy(tmp_path: Path, by_http: bool) -> None:
    db = tmp_path / "chatd.db"
    async with daemon(db, "--internal", "127.0.0.1:0") as running:
        flags = ("--internal", await internal_of(running)) if by_http else ("--db", str(db))
        running.process.send_signal(signal.SIGSTOP)
        line = complaint(await asyncio.to_thread(chatd, "health", *flags), EXIT_FAILED)
        assert "no daemon answers" in line


def test_without_a_daemon_health_fails(tmp_path: Path) -> None:
    assert "no daemon listens" in complaint(chatd("health", "--db", tmp_path / "chatd.db"), EXIT_FAILED)
    assert "no daemon answers" in complaint(chatd("health", "--internal", "127.0.0.1:1"), EXIT_FAILED)


def test_ready_needs_the_internal_listener(tmp_path: Path) -> None:
    assert "--internal" in complaint(chatd("health", "--ready", "--db", tmp_path / "chatd.db"), EXIT_USAGE)
