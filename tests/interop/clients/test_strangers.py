"""Clients of another protocol get the same refusal as from socket.io on Node.js."""

from __future__ import annotations

import pytest

from tests.interop.clients.programs import told
from tests.interop.clients.results import Result
from tests.interop.processes import Server

OUTCOME = "refused as by socket.io on Node.js"
NAMES = {"socket.io-client-2": "socket.io-client", "socket.io-msgpack-parser": "socket.io-msgpack-parser"}


@pytest.mark.every_client
async def test_clients_of_another_protocol_are_refused_as_by_node(
    echo: Server, node_echo: Server, passed: dict[str, Result]
) -> None:
    """E-13, S-16"""
    here, there = await told("strangers.mjs", echo.url), await told("strangers.mjs", node_echo.url)
    assert here == there
    seen = {name: client["told"] for name, client in here["found"].items()}
    assert seen["socket.io-client-2"] == {
        "polling": [["connect_error", "xhr poll error", 400]],
        "websocket": [["connect_error", "websocket error", None]],
    }
    closed = [["open"], ["close", "transport close"]]
    assert seen["socket.io-msgpack-parser"] == {"polling": closed, "websocket": closed}
    for name, client in here["found"].items():
        ran = {way: [OUTCOME] for way in ("polling", "WebSocket")}
        passed[name] = Result(name, NAMES[name], client["version"], here["runtime"], ran)
