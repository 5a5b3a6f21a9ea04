"""`python -m tests.conformance` against a Node.js server, and against chatd itself."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from bench.ports import free_port
from tests.conformance.remote import engineio, socketio
from tests.interop.chat import token
from tests.interop.conftest import running_chat
from tests.interop.processes import ROOT, node_echo_command, running

CASES = len(engineio.CASES) + len(socketio.CASES)
OF_NODE = Path(__file__).with_name("of_node.txt")


async def compare(url: str, *options: str) -> tuple[int | None, str, str]:
    """The exit code, the list, and the last line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.conformance", "--url", url, *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, words = await process.communicate()
    return process.returncode, out.decode(), words.decode()


async def test_chatd_has_no_differences(tmp_path: Path) -> None:
    with running_chat(tmp_path) as chat:
        found = await compare(chat.url, "--token", token("ana"))
    assert found == (0, "", f"{CASES} cases, 0 differences\n")


async def test_socket_io_on_node_has_the_listed_differences(tmp_path: Path) -> None:
    """The list is of socket.io 4.8.4, the version of tests/interop: a newer one may shorten it."""
    port = free_port()
    with running(node_echo_command(port), port, tmp_path / "log", ends_with=-signal.SIGTERM) as node:
        code, listed, words = await compare(node.url)
    assert listed == OF_NODE.read_text(encoding="utf-8")
    assert (code, words) == (1, f"{CASES} cases, {len(listed.splitlines())} differences\n")


async def test_without_a_token_the_error_says_that_the_server_needs_one(tmp_path: Path) -> None:
    with running_chat(tmp_path) as chat:
        code, listed, words = await compare(chat.url)
    assert (code, listed) == (2, "")
    assert "the main namespace was refused: 44{" in words
    assert "token_missing" in words
