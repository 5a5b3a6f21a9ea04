"""The echo server in a process of its own, with the cases of the protocol's official test suite."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.ports import free_port
from tests.conformance.wire import (
    CONTINUATION,
    NO_FRAME,
    TEXT,
    Client,
    chunk,
    frame_bytes,
    handshake_headers,
    request_bytes,
)
from tests.interop.processes import Server, running

OPENED = {"pingInterval": 300, "pingTimeout": 2_000, "maxPayload": 1_000_000}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "tests.conformance.engineio_echo", "--port", str(port)]
    log = tmp_path_factory.mktemp("echo") / "echo.log"
    with running(command, port, log, ends_with=-signal.SIGTERM) as started:
        yield started
    assert "Traceback" not in log.read_text()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client("127.0.0.1", server.port, "/engine.io/") as made:
        yield made


def resident_bytes(server: Server) -> int:
    assert server.process is not None
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4_096


async def test_handshakes(client: Client) -> None:
    """The protocol's own suite"""
    session = await client.polling()
    assert session.opened == {"sid": session.sid, "upgrades": ["websocket"], **OPENED}
    websocket = await client.websocket()
    assert websocket.opened == {"sid": websocket.sid, "upgrades": [], **OPENED}


async def test_echoes(client: Client) -> None:
    """The protocol's own suite"""
    session = await client.polling()
    assert (await session.post("4hello\x1ebAQIDBA==")).text == "ok"
    assert await session.poll() == ["4hello", "bAQIDBA=="]
    websocket = await client.websocket()
    await websocket.send("4hello")
    await websocket.send(b"\x01\x02\x03\x04")
    assert [await websocket.receive(), await websocket.receive()] == ["4hello", b"\x01\x02\x03\x04"]


async def test_heartbeats(client: Client) -> None:
    """The protocol's own suite"""
    session, websocket = await client.polling(), await client.websocket()
    for _ in range(3):
        assert await session.poll() == ["2"]
        assert await websocket.receive() == "2"
        await session.post("3")
        await websocket.send("3")
    assert [await session.poll(), await session.poll()] == [["2"], ["1"]]
    assert [await websocket.receive(), await websocket.closed()] == ["2", NO_FRAME]
    assert not await session.is_alive()


async def test_an_upgrade(client: Client) -> None:
    """The protocol's own suite"""
    session = await client.polling()
    websocket = await session.upgrade()
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    assert await session.poll() == ["6"]
    await websocket.send("5")
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


async def test_abuse_does_not_increase_memory(server: Server, client: Client) -> None:
    """E20, E33: endless bodies, fragments, heads and handshakes"""
    await abuse(client, 1)
    before = resident_bytes(server)
    await abuse(client, 10)
    assert resident_bytes(server) - before < 8_000_000
    await client.polling()


async def abuse(client: Client, times: int) -> None:
    for _ in range(times):
        session = await client.polling()
        body = await client.connect()
        body.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
        body.write(chunk(b"x" * 50_000) * 60)
        await body.rest()
        websocket = await client.websocket()
        await websocket.send_frame(TEXT, b"4", fin=False)
        websocket.connection.write(frame_bytes(CONTINUATION, b"", fin=False) * 100_000)
        await websocket.connection.rest()
        head = await client.connect()
        head.write(request_bytes("GET", "/", {"X": "x" * 2_000_000}))
        await head.rest()
        await asyncio.gather(*(aborted(client) for _ in range(50)))


async def aborted(client: Client) -> None:
    connection = await client.connect()
    connection.write(request_bytes("GET", client.target(EIO="4", transport="websocket"), handshake_headers()))
    connection.abort()
