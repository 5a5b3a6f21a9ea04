"""Where open files run out."""

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

# Starts a command with few files, and asks for fewer still: chatd raises the second limit to the first.
FEW_FILES: Final = ("sh", "-c", f'ulimit -Sn {FILES // 2} && ulimit -Hn {FILES} && exec "$0" "$@"')


def files_of(pid: int) -> int:
    """The limit that leaves a process the files that it has."""
    return 1 + max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())


def room_of(pid: int) -> int:
    """How many the kernel's table holds: FDSize in proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("FDSize:"))


async def connections_until_refused(chatd: Daemon) -> tuple[list[Connection], Connection]:
    """Those that are served, and the first that is not."""
    served: list[Connection] = []
    while True:
        connection = await chatd.client.connect()
        connection.write(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        if (await connection.answer()).status == 503:
            return served, connection
        served.append(connection)


async def test_who_comes_too_late_is_answered_and_the_others_live_on(tmp_path: Path) -> None:
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
        await served[5].request("GET", "/elsewhere")  # behind the five ends
        eva = await chatd.enter("eva")
        assert (await eva.write("root", "hola"))["ok"] is True
        chatd.terminate()
        assert await chatd.ended() == 0
        assert chatd.faults == []
        told = [line for line in chatd.log if line.get("limit") == "open_files"]
        assert len(told) <= 2  # not one for each


async def test_where_not_even_one_more_can_be_accepted_they_wait(tmp_path: Path) -> None:
    """L-09: the reserve is used up too, as by somebody who opens the database a hundred times."""
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


async def test_a_limit_that_the_system_reaches_first_is_told_at_the_start(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chatd.db", before=FEW_FILES) as chatd:
        (told,) = [line for line in chatd.log if "max_connections" in line]
        assert (told["level"], told["max_connections"], told["open_files"]) == ("warning", 10_000, FILES)
    async with daemon(tmp_path / "chatd.db", "--max-connections", "50", before=FEW_FILES) as chatd:
        assert [line for line in chatd.log if "max_connections" in line] == []


async def test_the_table_of_open_files_has_room_for_all_clients_from_the_start(tmp_path: Path) -> None:
    """Or the loop stands still for 10 ms, each time that the table grows."""
    async with daemon(tmp_path / "chatd.db", "--max-connections", "3000") as chatd:
        assert room_of(chatd.process.pid) >= min(3_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
