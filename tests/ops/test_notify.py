"""sd_notify messages of a daemon, received on a socket of the test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import complaint, daemon

PATIENCE_S = 10.0


class Manager:
    """Receives notifications."""

    def __init__(self, heard: socket.socket) -> None:
        self._socket = heard

    async def hear(self) -> list[str]:
        """The lines of the next notification."""
        async with asyncio.timeout(PATIENCE_S):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode().splitlines()

    async def until(self, line: str) -> list[str]:
        """Skip notifications until one has a line that begins with `line`. Returns all its lines."""
        while True:
            lines = await self.hear()
            if any(one.startswith(line) for one in lines):
                return lines

    def heard_nothing(self) -> bool:
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        return False


@contextlib.contextmanager
def listening_at(address: str) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.setblocking(False)
        yield Manager(heard)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with listening_at(str(tmp_path / "notify")) as heard:
        yield heard


async def test_a_daemon_reports_ready_when_it_serves_and_stopping_when_it_stops(db: Path, manager: Manager) -> None:
    async with daemon(db) as chatd:
        assert await manager.hear() == ["READY=1"]
        assert await manager.hear() == ["STATUS=0 sessions of 0 users, 0 sockets of admins, 0 messages stored"]
        assert (await (await chatd.enter("ana")).write("root", "hola"))["ok"] is True
        chatd.terminate()
        assert await manager.hear() == ["STOPPING=1", "STATUS=sending clients away"]


async def test_the_watchdog_is_fed_and_the_status_has_counts(
    db: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    async with daemon(db) as chatd:
        await manager.until("READY=1")
        ana, _ = await chatd.enter("ana"), await chatd.enter("root", "admin")
        assert (await ana.write("root", "hola"))["ok"] is True
        loop = asyncio.get_running_loop()
        await manager.until("WATCHDOG=1")
        begun = loop.time()
        beats = [await manager.until("WATCHDOG=1") for _ in range(5)]
        assert loop.time() - begun >= 0.35  # one each half interval, not in a burst
        assert beats[-1][1] == "STATUS=2 sessions of 2 users, 1 sockets of admins, 1 messages stored"


async def test_the_watchdog_of_another_process_is_not_fed(
    db: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    async with daemon(db) as chatd:
        await manager.until("READY=1")
        chatd.process.send_signal(signal.SIGHUP)
        lines: list[str] = []
        while "READY=1" not in lines:
            lines += await manager.hear()
        assert "WATCHDOG=1" not in lines


async def test_a_reload_is_reported_before_and_after(db: Path, manager: Manager) -> None:
    async with daemon(db) as chatd:
        await manager.until("STATUS=0")
        chatd.process.send_signal(signal.SIGHUP)
        first, instant = await manager.hear()
        assert (first, instant.startswith("MONOTONIC_USEC=")) == ("RELOADING=1", True)
        assert (await manager.hear())[0] == "READY=1"


async def test_a_reload_that_was_refused_is_in_the_status_until_one_is_done(db: Path, manager: Manager) -> None:
    """C-27"""
    file = db.with_name("chatd.toml")
    file.write_text("")
    async with daemon(db, "--config", file) as chatd:
        await manager.until("STATUS=0")
        for text, said in (("prt = 1", "STATUS=the last reload was refused: "), ("", "STATUS=0 sessions")):
            file.write_text(text)
            chatd.process.send_signal(signal.SIGHUP)
            await manager.until("RELOADING=1")
            assert (await manager.until("READY=1"))[1].startswith(said)


async def test_a_daemon_that_cannot_start_is_never_ready(db: Path, manager: Manager) -> None:
    code, _ = await complaint("--db", db.parent / "missing" / "chatd.db")
    assert code == EXIT_CONFIG
    assert manager.heard_nothing()


async def test_an_abstract_socket_name_works(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"chatd-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with listening_at(f"\0{name}") as manager:
        async with daemon(db):
            assert await manager.hear() == ["READY=1"]


async def test_a_missing_notify_socket_changes_nothing(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(db.with_name("nobody")))
    async with daemon(db) as chatd:
        assert (await (await chatd.enter("ana")).write("root", "hola"))["ok"] is True
        chatd.terminate()
        assert await chatd.ended() == 0
        assert chatd.faults == []
