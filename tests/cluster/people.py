"""Clients of the nodes of a test."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tests.cluster.nodes import Cluster
from tests.conformance.wire import TIMEOUT_S, Client
from tests.interop.chat import token, with_cookie
from tests.interop.node import Driver, JsSocket
from tests.ops.operator import Metrics

NO_ID: Final = {
    "ok": False,
    "error": {"code": "store_unavailable", "message": "the database does not answer: try again"},
}
"""The refusal of N-04, before anything is stored: on a busy machine PostgreSQL takes more than a second to answer."""


async def look(port: int, path: str) -> tuple[int, str]:
    """The answer of the internal listener at `port`."""
    async with Client("127.0.0.1", port, path) as client:
        answer = await client.request("GET")
    return answer.status, answer.text


async def metrics(port: int) -> Metrics:
    """The metrics of the internal listener at `port`."""
    return Metrics((await look(port, "/metrics"))[1])


async def enter(driver: Driver, url: str, user: str, rol: str = "user", **options: Any) -> JsSocket:
    """A socket that has joined the main namespace."""
    socket = await driver.open(
        url,
        transports=["websocket"],
        reconnectionDelay=20,
        reconnectionDelayMax=100,
        **with_cookie(token(user, rol)),
        **options,
    )
    await socket.connected()
    return socket


async def desk(driver: Driver, several: Cluster) -> tuple[JsSocket, JsSocket, JsSocket]:
    """A user on node 1, an admin there, and an admin on node 2."""
    ana = await enter(driver, several.url(1), "ana")
    near, far = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
    return ana, near, far


async def write(socket: JsSocket, para: str, *texts: str) -> None:
    """Send messages and wait until each is stored. Those refused by N-04 are sent again."""
    for text in texts:
        while (answer := await _answer(socket, para, text)) == NO_ID:
            pass
        assert answer["ok"] is True, answer


async def _answer(socket: JsSocket, para: str, text: str) -> dict[str, Any]:
    [answer] = await socket.ask("mensaje_privado", {"para": para, "mensaje": text})
    return dict(answer)


async def texts(socket: JsSocket, count: int) -> list[str]:
    """The texts of the next messages."""
    return [(await socket.hear("mensaje_recibido"))[0]["mensaje"] for _ in range(count)]


async def here(admin: JsSocket) -> dict[str, int]:
    """The online users with their number of sockets, as the node of `admin` reports them."""
    [answer] = await admin.ask("conectados", {})
    return {each["user"]: each["sockets"] for each in answer["conectados"]}


async def sees(admin: JsSocket, expected: dict[str, int]) -> None:
    """Wait until the node of `admin` reports exactly these sockets."""
    async with asyncio.timeout(TIMEOUT_S):
        while await here(admin) != expected:
            pass
