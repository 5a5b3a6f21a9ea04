"""A server restarts: every client reconnects by itself, whichever signal ended the server."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from tests.interop.conftest import Client
from tests.interop.node import JsSocket
from tests.interop.processes import Server


async def settled(client: Client, url: str, **options: Any) -> JsSocket:
    """A connected socket, after its upgrade if it makes one."""
    socket = await client.connected(url, **options)
    if client.transports == "default":
        await socket.upgraded()
    return socket


async def came_back(socket: JsSocket) -> None:
    """Wait until the client reports a disconnection and a new connection, and check that the new one works."""
    assert await socket.hear(":disconnect") in (["transport close"], ["transport error"])
    await socket.hear(":reconnect")
    await socket.hear(":connect")
    assert await socket.ask("message-with-ack", "back") == ["back"]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_clients_come_back_after_a_restart(matrix: list[Client], own_echo: Server, by: signal.Signals) -> None:
    sockets = [await settled(client, own_echo.url) for client in matrix]
    await asyncio.to_thread(own_echo.stop, by)
    await asyncio.to_thread(own_echo.start)
    await asyncio.gather(*(came_back(socket) for socket in sockets))


async def test_what_was_emitted_while_the_server_was_away_arrives(matrix: list[Client], own_echo: Server) -> None:
    sockets = [await settled(client, own_echo.url) for client in matrix]
    await asyncio.to_thread(own_echo.stop)
    for socket in sockets:
        await socket.hear(":disconnect")
        for number in range(3):
            await socket.emit("message", number)
    await asyncio.to_thread(own_echo.start)
    for socket in sockets:
        assert [await socket.hear("message-back") for _ in range(3)] == [[0], [1], [2]]
