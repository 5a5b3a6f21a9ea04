"""The heartbeat, with a ping interval below one second."""

from __future__ import annotations

from tests.interop.conftest import Client
from tests.interop.processes import Server


async def test_a_quiet_client_stays_connected(client: Client, strict_echo: Server) -> None:
    socket = await client.connected(strict_echo.url)
    for _ in range(4):
        await socket.hear(":ping")
    assert await socket.ask("message-with-ack", "alive") == ["alive"]
    assert socket.heard(":disconnect") == 0
