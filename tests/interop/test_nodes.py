"""Two daemons behind each proxy of README.md: a session stays on its node, and moves when the node dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bench.ports import free_port
from tests.interop.chat import Chat, token, with_cookie
from tests.interop.conftest import TRANSPORTS, Client, running_chat
from tests.interop.node import JsSocket
from tests.listen.certificates import make_certificate
from tests.ops.proxies import SEVERAL_NODES, Place, Proxy, caddy, haproxy, nginx

NUMBERS: Final = (1, 2)
CLIENTS_OF_A_KIND: Final = 3
ROUND_TRIPS: Final = 12
MOVED_WITHIN_S: Final = 10.0
REACHED_WITHIN_S: Final = 20.0

_users: Final = itertools.count()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[dict[int, Chat]]:
    """The daemons by number, each with its own database: these tests are about the transport only."""
    with contextlib.ExitStack() as stack:
        running: dict[int, Chat] = {}
        for number in NUMBERS:
            folder = tmp_path / f"node {number}"
            folder.mkdir()
            flags = ("--node", str(number), "--trusted-proxy", "127.0.0.1")
            running[number] = stack.enter_context(running_chat(folder, *flags))
        yield running


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, free_port(), 0, *make_certificate(tmp_path, "chat"))


def configuration(proxy: Proxy, place: Place, nodes: dict[int, Chat]) -> str:
    backends = {8400 + number: chat.server.port for number, chat in nodes.items()}
    return proxy.placed(proxy.readme_configuration(SEVERAL_NODES), place, backends)


async def settled(client: Client, place: Place) -> JsSocket:
    """A socket of a new user, after its upgrade if it makes one."""
    options: dict[str, Any] = with_cookie(token(f"user {next(_users)}"))
    socket = await client.connected(f"https://127.0.0.1:{place.port}", rejectUnauthorized=False, **options)
    if client.transports == "default":
        await socket.upgraded()
    return socket


async def node_of(socket: JsSocket) -> int:
    number, _, _ = (await socket.sid()).partition(".")
    return int(number)


async def homes_of(sockets: list[JsSocket]) -> list[int]:
    return [await node_of(socket) for socket in sockets]


async def round_trips(socket: JsSocket, count: int) -> None:
    """Emit `count` events, each after the acknowledgement of the one before."""
    for _ in range(count):
        [answer] = await socket.ask("quien_soy")
        assert answer["ok"] is True


async def came_back(socket: JsSocket) -> None:
    await socket.hear(":disconnect")
    await socket.hear(":connect")
    await round_trips(socket, 2)


async def move(sockets: list[JsSocket], node: Chat, by: signal.Signals) -> None:
    """End the node of `sockets` by signal `by`; all of them must be on another node within seconds."""
    ended = asyncio.ensure_future(asyncio.to_thread(node.server.stop, by))
    async with asyncio.timeout(MOVED_WITHIN_S):
        await asyncio.gather(*(came_back(socket) for socket in sockets))
    assert await ended == (0 if by is signal.SIGTERM else -by)


async def new_clients_reach(number: int, client: Client, place: Place) -> None:
    async with asyncio.timeout(REACHED_WITHIN_S):
        socket = await settled(client, place)
        while await node_of(socket) != number:
            await socket.close()
            socket = await settled(client, place)


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy], ids=lambda proxy: str(proxy.name))
async def test_clients_stay_on_their_node_and_move_to_the_other_when_it_is_killed_or_stopped(
    proxy: Proxy, matrix: list[Client], nodes: dict[int, Chat], place: Place
) -> None:
    """K-01, K-02"""
    async with proxy.running(configuration(proxy, place, nodes), place):
        clients = matrix * CLIENTS_OF_A_KIND
        sockets = await asyncio.gather(*(settled(client, place) for client in clients))
        sids, homes = [await socket.sid() for socket in sockets], await homes_of(sockets)
        assert set(homes) == set(NUMBERS)

        await asyncio.gather(*(round_trips(socket, ROUND_TRIPS) for socket in sockets))
        assert [await socket.sid() for socket in sockets] == sids
        assert [socket.heard(":disconnect") + socket.heard(":connect_error") for socket in sockets] == [0] * len(sids)
        transports = [TRANSPORTS[client.transports].get("transports", ["websocket"])[0] for client in clients]
        assert [await socket.transport() for socket in sockets] == transports

        of_one = [socket for socket, home in zip(sockets, homes, strict=True) if home == 1]
        of_two = [socket for socket, home in zip(sockets, homes, strict=True) if home == 2]
        await move(of_one, nodes[1], signal.SIGKILL)
        await asyncio.gather(*(round_trips(socket, 2) for socket in of_two))
        assert [socket.heard(":disconnect") for socket in of_two] == [0] * len(of_two)
        assert set(await homes_of(sockets)) == {2}

        await asyncio.to_thread(nodes[1].server.start)
        await new_clients_reach(1, matrix[0], place)
        await move(sockets, nodes[2], signal.SIGTERM)
        assert set(await homes_of(sockets)) == {1}
