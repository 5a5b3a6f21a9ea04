"""A server that goes away and comes back: clients return by themselves, whatever ended it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.interop.conftest import Client
from tests.interop.processes import Server


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_a_client_comes_back_after_a_restart(client: Client, own_echo: Server, by: signal.Signals) -> None:
    socket = await client.open(own_echo.url)
    before = await socket.connected()
    if client.transports == "default":
        await socket.upgraded()

    await asyncio.to_thread(own_echo.stop, by)
    assert await socket.hear(":disconnect") in (["transport close"], ["transport error"])
    await asyncio.to_thread(own_echo.start)

    await socket.hear(":reconnect")
    [after] = await socket.hear(":connect")
    assert after["id"] != before["id"]
    assert await socket.ask("message-with-ack", "back") == ["back"]


async def test_what_was_emitted_while_the_server_was_away_arrives(client: Client, own_echo: Server) -> None:
    socket = await client.connected(own_echo.url)
    await asyncio.to_thread(own_echo.stop)
    await socket.hear(":disconnect")
    for number in range(3):
        await socket.emit("message", number)
    await asyncio.to_thread(own_echo.start)
    assert [await socket.hear("message-back") for _ in range(3)] == [[0], [1], [2]]
