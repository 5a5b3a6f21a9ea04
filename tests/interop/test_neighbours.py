"""chatd and a Node.js node behind README.md's nginx, which spreads the users over both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.cluster.neighbourhood import until_joined
from tests.cluster.redis.server import RedisServer
from tests.interop.chat import token, with_cookie
from tests.interop.conftest import Client, running_chat
from tests.interop.neighbour import running_node
from tests.interop.node import Driver, JsSocket
from tests.listen.certificates import make_certificate
from tests.ops.proxies import MOVING, Place, nginx

BROWSERS: Final = 12
ROUND_TRIPS: Final = 6


@pytest_asyncio.fixture(loop_scope="session")
async def client(drivers: dict[str, Driver], transports: str) -> AsyncIterator[Client]:
    yield Client(drivers["4.8"], transports)
    await drivers["4.8"].forget()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, free_port(), 0, *make_certificate(tmp_path, "chat"))


async def settled(client: Client, place: Place, user: str) -> JsSocket:
    """A socket with its own session cookie, after its upgrade if it makes one."""
    options: dict[str, Any] = with_cookie(token(user))
    options["extraHeaders"]["User-Agent"] = f"browser of {user}"
    auth = {"user": user, "rol": "user"}
    socket = await client.connected(f"https://127.0.0.1:{place.port}", rejectUnauthorized=False, auth=auth, **options)
    if client.transports == "default":
        await socket.upgraded()
    return socket


async def exchange(one: JsSocket, other: JsSocket, names: dict[JsSocket, str]) -> None:
    for sender, receiver in ((one, other), (other, one)):
        for number in range(ROUND_TRIPS):
            [answer] = await sender.ask("mensaje_privado", {"para": names[receiver], "mensaje": f"number {number}"})
            assert answer["ok"] is True
            [heard] = await receiver.hear("mensaje_recibido")
            assert heard == {"de": names[sender], "mensaje": f"number {number}"}


async def test_each_session_stays_on_its_server_and_messages_cross_servers(
    client: Client, tmp_path: Path, place: Place
) -> None:
    """K-01, N-31, N-32"""
    with RedisServer(tmp_path) as redis:
        redis.start()
        flags = ("--node", "1", "--bus-adapter", "socket.io", "--bus-adapter-url", f"unix://{redis.path}")
        with running_chat(tmp_path, *flags) as chat:
            async with running_node(redis.path) as node:
                await until_joined(node, 2)
                shown = nginx.readme_configuration(MOVING).replace("10%", "50%")
                ports = {8400: chat.server.port, 3000: int(node.url.rpartition(":")[2])}
                async with nginx.running(nginx.placed(shown, place, ports), place):
                    users = [f"user {number}" for number in range(BROWSERS)]
                    sockets = await asyncio.gather(*(settled(client, place, user) for user in users))
                    names = dict(zip(sockets, users, strict=True))
                    sids = {socket: await socket.sid() for socket in sockets}
                    near = [socket for socket, sid in sids.items() if sid.startswith("1.")]
                    far = [socket for socket in sockets if socket not in near]
                    assert near
                    assert far
                    await exchange(near[0], far[0], names)
                    assert {socket: await socket.sid() for socket in sockets} == sids
                    assert [socket.heard(":disconnect") for socket in sockets] == [0] * BROWSERS
