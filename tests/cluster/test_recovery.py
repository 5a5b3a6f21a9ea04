"""Clients that reconnect to any node: real processes, real databases, the real client."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.chat.people import Person, connect, cookie
from tests.cluster.nodes import cluster
from tests.cluster.people import enter, texts, write
from tests.conformance.wire import Client
from tests.interop.chat import token
from tests.interop.node import Driver, JsSocket
from tests.interop.proxy import Proxy, proxy
from tests.postgresql import Server

MESSAGES = 150
HOPS = 8


async def hop(socket: JsSocket, between: Proxy, port: int) -> bool:
    """Disconnect the client, and let it reconnect to another node; return whether it was recovered there."""
    between.interrupt()
    await socket.hear(":disconnect")
    between.target = port
    between.restore()
    return bool((await socket.hear(":connect"))[0]["recovered"])


@pytest.mark.parametrize("redis_dies", [False, True])
@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_client_that_changes_nodes_gets_every_message_once(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str, redis_dies: bool
) -> None:
    """N-06"""
    with cluster(tmp_path, postgresql, "--recovery", "on", "--deliver", deliver) as several:
        async with proxy(several.nodes[1].port) as between:
            root = await enter(driver, between.url, "root", "admin")
            writers = [await enter(driver, several.url(node), f"user{node}") for node in (1, 2)]
            said = [[f"{number}-{each}" for each in range(MESSAGES)] for number in (1, 2)]
            writing = [
                asyncio.create_task(write(*both[:1], "root", *both[1])) for both in zip(writers, said, strict=True)
            ]
            for number in range(HOPS):
                if redis_dies and number == HOPS // 2:
                    await asyncio.to_thread(several.redis.kill)
                assert await hop(root, between, several.nodes[2 - number % 2].port)
            if redis_dies:
                await asyncio.to_thread(several.redis.start)
            await asyncio.gather(*writing)
            heard = await texts(root, 2 * MESSAGES)
            await write(writers[0], "root", "the last")
            assert await texts(root, 1) == ["the last"]
            for number, each in enumerate(said, 1):
                assert [text for text in heard if text.startswith(f"{number}-")] == each


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_a_client_of_a_killed_node_gets_every_message_on_another(
    driver: Driver, postgresql: Server, tmp_path: Path, deliver: str
) -> None:
    """N-06"""
    with cluster(tmp_path, postgresql, "--recovery", "on", "--deliver", deliver) as several:
        async with proxy(several.nodes[1].port) as between:
            root = await enter(driver, between.url, "root", "admin")
            ana = await enter(driver, several.url(1), "ana")
            eva = await enter(driver, several.url(2), "eva")
            said = [[f"{user}-{each}" for each in range(40)] for user in ("ana", "eva")]
            going_on = asyncio.create_task(write(eva, "root", *said[1]))
            await write(ana, "root", *said[0])
            await asyncio.to_thread(several.nodes[1].stop, signal.SIGKILL)
            assert await hop(root, between, several.nodes[2].port)
            await going_on
            heard = await texts(root, 80)
            assert [[text for text in heard if text.startswith(user)] for user in ("ana", "eva")] == said
            await write(eva, "root", "the last")
            assert await texts(root, 1) == ["the last"]


async def test_a_position_without_a_pid_is_accepted_by_any_node(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-06, N-08"""
    with cluster(tmp_path, postgresql, "--payload", "full") as several:
        ana = await enter(driver, several.url(1), "ana")
        root = await enter(driver, several.url(2), "root", "admin", auth={"desde": "0"})
        [told] = await root.hear("al_dia")
        assert told["completo"] is True
        await write(ana, "root", "one")
        [one] = await root.hear("mensaje_recibido")
        await write(root, "ana", "node 1 has heard of node 2")
        await texts(ana, 1)
        await root.close()
        await write(ana, "root", "two")
        exact = await enter(driver, several.url(1), "root", "admin", auth={"desde": told["ultimo"]})
        assert await texts(exact, 2) == ["one", "two"]
        [now] = await exact.hear("al_dia")
        assert now["completo"] is True
        again = await enter(driver, several.url(2), "root", "admin", auth={"desde": now["ultimo"]})
        assert (await again.hear("al_dia"))[0]["completo"] is True
        assert again.heard("mensaje_recibido") == 0
        plain = await enter(driver, several.url(2), "root", "admin", auth={"desde": one["id"]})
        assert (await plain.hear("al_dia"))[0]["completo"] is True
        assert "two" in await texts(plain, plain.heard("mensaje_recibido"))
        for nonsense in ("v", "vAAAA", now["ultimo"][:-2]):
            lost = await enter(driver, several.url(1), "root", "admin", auth={"desde": nonsense})
            assert (await lost.hear("al_dia"))[0]["completo"] is False


async def come(client: Client, auth: dict[str, str] | None = None) -> tuple[dict[str, str], Person]:
    """A socket of ana without the JavaScript client, which would not reconnect while the socket is open."""
    answer, websocket = await connect(client, cookie(token("ana")), auth)
    return json.loads(answer[2:]), Person(websocket)


async def test_a_recovered_socket_ends_its_old_one_on_another_node(postgresql: Server, tmp_path: Path) -> None:
    """N-13"""
    with cluster(tmp_path, postgresql, "--recovery", "on") as several:
        await several.acquainted()
        async with (
            Client("127.0.0.1", several.nodes[1].port, "/socket.io/") as one,
            Client("127.0.0.1", several.nodes[2].port, "/socket.io/") as two,
        ):
            first, old = await come(one)
            name, told, position = await old.hear()
            assert (name, told["ultimo"]) == ("al_dia", position)
            second, new = await come(two, {"pid": first["pid"], "offset": position})
            assert second == first
            assert "41" in await old.last_words()
            assert (await new.ask("quien_soy"))["user"] == "ana"
