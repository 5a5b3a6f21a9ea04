"""Socket activation: the listening socket outlives the daemon, so a restart refuses no connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.cli import EXIT_CONFIG
from chatd.listen.activation import inherited_sockets
from tests.chat.daemon import ROOT, Daemon
from tests.chat.people import SECRET, enter
from tests.conformance.wire import Client, request_bytes

MANY = 20


async def start(db: Path, listening: socket.socket, *flags: str, name: str = "chatd") -> Daemon:
    """A daemon that gets the socket `listening`; it serves on its port and ignores the flags."""
    command = (sys.executable, "-m", "chatd", "serve", "--db", str(db), "--port", "1", "--log-format", "json", *flags)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("CHATD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.ops.left_to", str(listening.fileno()), name, *command),
        cwd=ROOT,
        env={**environ, "CHATD_JWT_SECRET": SECRET, "CHATD_MESSAGE_RATE": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(listening.fileno(),),
    )
    return Daemon(process)


@contextlib.asynccontextmanager
async def activated(db: Path, listening: socket.socket, *flags: str) -> AsyncIterator[Daemon]:
    """A daemon on the socket `listening`, killed at the end if it still runs."""
    chatd = await start(db, listening, *flags)
    try:
        await chatd.logged("listening")
        yield chatd
    finally:
        if chatd.process.returncode is None:
            chatd.process.kill()
        await chatd.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_connections_made_during_a_restart_wait_and_are_served(db: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with Client("127.0.0.1", listening.getsockname()[1], "/socket.io/") as client:
            async with activated(db, listening) as first:
                ana = await enter(client, "ana")
                assert (await ana.write("root", "before"))["ok"] is True
                first.process.send_signal(number)
                ana.websocket.close()
                await first.process.wait()
            waiting = [await client.connect() for _ in range(MANY)]  # no daemon runs, and no connection is refused
            async with activated(db, listening):
                for connection in waiting:
                    answer = await connection.request("GET", client.target(EIO="4", transport="polling"))
                    assert answer.status == 200
                ana = await enter(client, "ana")
                assert (await ana.write("root", "after"))["ok"] is True


async def test_a_connection_made_while_the_daemon_stops_is_served_by_the_next(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with Client("127.0.0.1", listening.getsockname()[1], "/socket.io/") as client:
            async with activated(db, listening, "--stop-rate", "1", "--stop-timeout", "20") as first:
                people = [await enter(client, f"user{index}") for index in range(3)]
                first.terminate()
                await people[0].websocket.closed()  # the daemon disconnects the first client, then one each second
                comer = await client.connect()
                comer.write(request_bytes("GET", client.target(EIO="4", transport="polling")))
                for person in people:
                    person.websocket.close()
                await first.process.wait()
            async with activated(db, listening):
                assert (await comer.answer()).status == 200


async def test_the_log_says_that_the_socket_is_systemds(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with activated(db, listening) as chatd:
            [said] = [line for line in chatd.log if line["message"] == "listening"]
            assert (said["port"], said["inherited"]) == (listening.getsockname()[1], "chatd")


async def test_a_unix_socket_is_used_too(db: Path) -> None:
    path = db.with_name("chat.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        async with activated(db, listening) as chatd:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
            chatd.terminate()
            assert await chatd.ended() == 0
        assert path.exists(), "it is not ours to remove"


async def test_a_socket_called_tls_needs_a_certificate(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        chatd = await start(db, listening, name="tls")
        _, said = await chatd.process.communicate()
        assert chatd.process.returncode == EXIT_CONFIG
        assert "give --tls-cert FILE" in said.decode().splitlines()[-1]


def test_sockets_for_another_process_are_left_alone() -> None:
    environ = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "OTHER": "1"}
    assert inherited_sockets(environ) == []
    assert environ == {"OTHER": "1"}


def test_a_descriptor_that_is_no_socket_is_named() -> None:
    with pytest.raises(ConfigError, match="LISTEN_FDS: descriptor 3 "):
        inherited_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
