"""The daemon at its limit of open files."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path
from typing import Final

from chatd.listen.files import RESERVED
from tests.chat.daemon import Daemon, daemon
from tests.conformance.wire import Connection

FILES: Final = 96

# Starts a command with low limits on open files, hard and soft: chatd raises the soft limit to the hard one.
FEW_FILES: Final = ("sh", "-c", f'ulimit -Sn {FILES // 2} && ulimit -Hn {FILES} && exec "$0" "$@"')


def files_of(pid: int) -> int:
    """The limit at which the process can open no further file."""
    return 1 + max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())


def room_of(pid: int) -> int:
    """The size of the process' file table: FDSize in proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("FDSize:"))


async def connections_until_refused(chatd: Daemon) -> tuple[list[Connection], Connection]:
    """Connect until one is refused. Returns the served connections and the refused one."""
    served: list[Connection] = []
    while True:
        connection = await chatd.client.connect()
        connection.write(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        if (await connection.answer()).status == 503:
            return served, connection
        served.append(connection)


async def test_a_connection_over_the_limit_gets_an_answer_and_the_others_stay(tmp_path: Path) -> None:
    """L-09"""
    async with daemon(tmp_path / "chatd.db", before=FEW_FILES) as chatd:
        assert {"message": "open files", "limit": FILES}.items() <= chatd.log[1].items() | chatd.log[0].items()
        ana = await chatd.enter("ana")
        served, refused = await connections_until_refused(chatd)
        assert FILES - RESERVED - 30 < len(served) < FILES - RESERVED
        assert await refused.rest() == b""
        for _ in range(200):
            late = await chatd.client.connect()
            answer = await late.answer()
            assert (answer.status, answer.header("retry-after")) == (503, "10")
            assert (answer.json()["code"], answer.json()["detail"]) == (6, "open_files")
        assert (await ana.write("root", "hola"))["ok"] is True
        assert (await served[0].request("GET", "/elsewhere")).status == 404
        for connection in served[:5]:
            connection.close()
        await asyncio.gather(*(connection.ended() for connection in served[:5]))
        await served[5].request("GET", "/elsewhere")  # returns after the server has seen the five closes
        eva = await chatd.enter("eva")
        assert (await eva.write("root", "hola"))["ok"] is True
        chatd.terminate()
        assert await chatd.ended() == 0
        assert chatd.faults == []
        told = [line for line in chatd.log if line.get("limit") == "open_files"]
        assert len(told) <= 2  # limited: not one line for each connection


async def test_connections_wait_while_the_reserve_of_files_is_used_up(tmp_path: Path) -> None:
    """L-09: as when the daemon's own files take the reserve"""
    async with daemon(tmp_path / "chatd.db") as chatd:
        ana = await chatd.enter("ana")
        pid = chatd.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (files_of(pid), hard))
        waiting = await chatd.client.connect()
        waiting.write(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        told = await chatd.logged("no connection can be accepted: Too many open files")
        assert told["limit"] == "open_files"
        assert (await ana.write("root", "hola"))["ok"] is True
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert (await waiting.answer()).status == 404
        chatd.terminate()
        with contextlib.suppress(ConnectionError):
            ana.websocket.close()
        assert await chatd.ended() == 0
        assert chatd.faults == []


async def test_more_max_connections_than_open_files_is_logged_at_start(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chatd.db", before=FEW_FILES) as chatd:
        (told,) = [line for line in chatd.log if "max_connections" in line]
        assert (told["level"], told["max_connections"], told["open_files"]) == ("warning", 10_000, FILES)
    async with daemon(tmp_path / "chatd.db", "--max-connections", "50", before=FEW_FILES) as chatd:
        assert [line for line in chatd.log if "max_connections" in line] == []


async def test_the_file_table_has_its_full_size_from_the_start(tmp_path: Path) -> None:
    """Else the event loop stops for 10 ms each time the kernel grows the table."""
    async with daemon(tmp_path / "chatd.db", "--max-connections", "3000") as chatd:
        assert room_of(chatd.process.pid) >= min(3_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
