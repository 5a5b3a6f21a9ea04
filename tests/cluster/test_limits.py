"""The limit of sockets of one user, over all nodes."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from tests.chat.people import connect, cookie
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.people import enter, sees, write
from tests.conformance.wire import Client, WebSocket
from tests.interop.chat import token
from tests.interop.node import Driver
from tests.postgresql import Server

TWO = ("--max-connections-per-user", "2", "--presence", "on", "--recovery", "on")


def client(several: Cluster, node: int) -> Client:
    return Client("127.0.0.1", several.nodes[node].port, "/socket.io/")


async def come(one: Client, user: str = "ana", auth: object = None) -> tuple[dict[str, Any], WebSocket]:
    """Send a CONNECT; return its answer, and the socket."""
    answer, websocket = await connect(one, cookie(token(user)), auth)
    return json.loads(answer[2:]), websocket


def is_refused(answer: dict[str, Any]) -> bool:
    """Whether the CONNECT was refused."""
    if "sid" in answer:
        return False
    assert answer["data"] == {"code": "too_many_connections"}
    return True


async def al_dia(websocket: WebSocket) -> tuple[dict[str, Any], str]:
    """The event `al_dia`, and its offset."""
    name, told, offset = json.loads(str(await websocket.receive())[2:])
    assert name == "al_dia"
    return told, offset


async def test_the_limit_of_sockets_of_a_user_counts_those_of_all_nodes(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-20, L-05"""
    with cluster(tmp_path, postgresql, *TWO) as several:
        await several.acquainted()
        root = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
        async with client(several, 1) as one, client(several, 2) as two:
            _, first = await come(one)
            await sees(root[1], {"ana": 1, "root": 2})
            await come(two)
            for admin in root:
                await sees(admin, {"ana": 2, "root": 2})
            assert [is_refused((await come(node))[0]) for node in (one, two)] == [True, True]
            assert not is_refused((await come(one, "eva"))[0])
            first.abort()
            await sees(root[1], {"ana": 1, "eva": 1, "root": 2})
            assert not is_refused((await come(two))[0])


async def test_sockets_of_a_killed_node_do_not_count(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-20: even before the node's lease expires."""
    with cluster(tmp_path, postgresql, *TWO) as several:
        await several.acquainted()
        root = await enter(driver, several.url(1), "root", "admin")
        async with client(several, 1) as one, client(several, 2) as two:
            tabs = [await come(two) for _ in range(2)]
            await sees(root, {"ana": 2, "root": 1})
            await asyncio.to_thread(several.nodes[2].stop, signal.SIGKILL)
            back = await asyncio.gather(come(one), come(one))
            assert [is_refused(answer) for answer, _ in back] == [False, False]
            assert is_refused((await come(one))[0])
            assert len(tabs) == len(back)


async def test_a_socket_recovered_on_another_node_counts_once(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-13, N-20"""
    with cluster(tmp_path, postgresql, *TWO) as several:
        await several.acquainted()
        root = await enter(driver, several.url(2), "root", "admin")
        async with client(several, 1) as one, client(several, 2) as two:
            first, old = await come(one)
            await come(one)
            await sees(root, {"ana": 2, "root": 1})
            _, offset = await al_dia(old)
            again, _ = await come(two, "ana", {"pid": first["pid"], "offset": offset})
            assert again == first
            assert "41" in await old.messages_until_closed()
            await sees(root, {"ana": 2, "root": 1})


async def test_a_socket_in_recovery_is_replaced_too(driver: Driver, postgresql: Server, tmp_path: Path) -> None:
    """N-13: the database does not answer, and the client tries another node."""
    with cluster(tmp_path, postgresql, *TWO) as several:
        await several.acquainted()
        root = await enter(driver, several.url(2), "root", "admin")
        async with client(several, 1) as one, client(several, 2) as two:
            first, old = await come(one)
            _, offset = await al_dia(old)
            old.abort()
            await write(root, "ana", "hola")
            said = json.dumps({"pid": first["pid"], "offset": offset})
            with postgresql.locked("chatd.mensajes", several.base):
                waiting = [await each.websocket(cookie(token("ana")), early=b"") for each in (one, two)]
                await waiting[0].send("40" + said)
                while not await asyncio.to_thread(postgresql.blocked, several.base):
                    pass
                await waiting[1].send("40" + said)
                assert not [each for each in await waiting[0].messages_until_closed() if str(each).startswith("40")]
            assert json.loads(str(await waiting[1].receive())[2:]) == first
