"""To clients, a stop looks like a killed server: they notice at once, and reconnect soon after the next start."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

import pytest

from tests.interop.conftest import TRANSPORTS, Client
from tests.interop.node import PATIENCE_S, JsSocket
from tests.interop.processes import Server
from tests.interop.test_python_client import client_with
from tests.interop.test_reconnect import came_back, settled

# On a busy machine. A client that does not notice the end waits for its ping timeout, 45 s, or never comes back. What
# a user waits is in the comparisons with Node.
BACK_S = 5.0
# Randomisation of the delays in PAUSES (up to 50 % longer), doubled for a busy machine.
DICE_S = 2 * 1.5 * 0.3
PAUSES = {"reconnectionDelay": 100, "reconnectionDelayMax": 300}

BOTH = pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])


@BOTH
async def test_javascript_clients_are_back_soon(matrix: list[Client], own_echo: Server, by: signal.Signals) -> None:
    """C-20, E-50: as soon after a stop as after a kill, with unacknowledged messages"""
    sockets = [await settled(client, own_echo.url, **PAUSES) for client in matrix]
    for socket in sockets:
        await socket.emit("message", "on its way")
    await asyncio.to_thread(own_echo.stop, by)
    await asyncio.to_thread(own_echo.start)
    started = time.monotonic()
    took_s = await asyncio.gather(*(_back(socket, started) for socket in sockets))
    assert max(took_s) < BACK_S


async def test_no_javascript_client_is_slower_than_from_a_killed_node(
    matrix: list[Client], own_echo: Server, node_echo: Server
) -> None:
    """E-50: up to the randomised reconnection delay"""
    servers = (own_echo, node_echo)
    sockets = [[await settled(client, server.url, **PAUSES) for client in matrix] for server in servers]
    await asyncio.to_thread(node_echo.stop, signal.SIGKILL)
    await asyncio.to_thread(own_echo.stop, signal.SIGTERM)
    for server in servers:
        await asyncio.to_thread(server.start)
    started = time.monotonic()
    took_s = await asyncio.gather(*(_back(socket, started) for of_server in sockets for socket in of_server))
    ours, nodes = took_s[: len(matrix)], took_s[len(matrix) :]
    assert all(our <= node + DICE_S for our, node in zip(ours, nodes, strict=True)), (ours, nodes)


async def _back(socket: JsSocket, started: float) -> float:
    """Seconds from the start until the client is connected."""
    await came_back(socket)
    return time.monotonic() - started


@BOTH
async def test_python_clients_are_back_soon(transports: str, own_echo: Server, by: signal.Signals) -> None:
    """C-20, E-50"""
    back = asyncio.Event()
    async with client_with() as client:
        client.reconnection_delay_max = 0.3
        await client.connect(own_echo.url, **TRANSPORTS[transports])
        client.on("connect", back.set)
        await asyncio.to_thread(own_echo.stop, by)
        await asyncio.to_thread(own_echo.start)
        started = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            await back.wait()
        assert time.monotonic() - started < BACK_S
        assert await client.call("message-with-ack", "back", timeout=PATIENCE_S) == "back"


async def test_no_python_client_is_slower_than_from_a_killed_node(own_echo: Server, node_echo: Server) -> None:
    """E-50: over each transport; their delay is not randomised, but as long"""
    servers = (own_echo, node_echo)
    ways = [(server, transports) for server in servers for transports in TRANSPORTS]
    async with contextlib.AsyncExitStack() as stack:
        all_back = []
        for server, transports in ways:
            client = await stack.enter_async_context(client_with())
            client.reconnection_delay_max = 0.3
            await client.connect(server.url, **TRANSPORTS[transports])
            back = asyncio.Event()
            client.on("connect", back.set)
            all_back.append(back)
        await asyncio.to_thread(node_echo.stop, signal.SIGKILL)
        await asyncio.to_thread(own_echo.stop, signal.SIGTERM)
        for server in servers:
            await asyncio.to_thread(server.start)
        started = time.monotonic()
        took_s = await asyncio.gather(*(_set(back, started) for back in all_back))
    ours, nodes = took_s[: len(TRANSPORTS)], took_s[len(TRANSPORTS) :]
    assert all(our <= node + DICE_S for our, node in zip(ours, nodes, strict=True)), (ours, nodes)


async def _set(back: asyncio.Event, started: float) -> float:
    """Seconds from the start until the event."""
    async with asyncio.timeout(PATIENCE_S):
        await back.wait()
    return time.monotonic() - started
