"""chatd together with a Node.js node: real processes, a real Redis, real clients on both sides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from bench.ports import free_port
from tests.cluster.people import enter
from tests.cluster.redis.server import RedisServer
from tests.interop import processes
from tests.interop.chat import SECRET
from tests.interop.neighbour import NodeNode, running_node
from tests.interop.node import Driver, JsSocket
from tests.interop.processes import Server

REQUESTS: Final = "socket.io-request#/#"
SOON_S: Final = 20.0

UNHURRIED: Final = ("--message-rate", "0", "--max-chars-per-minute", "0", "--presence", "off")


class Neighbourhood:
    """`here` is the URL of chatd, `node` that of the Node.js node."""

    def __init__(self, driver: Driver, redis: RedisServer, chatd: Server, node: NodeNode) -> None:
        self.redis = redis
        self.chatd = chatd
        self.node = node
        self._driver = driver

    async def enter(self, user: str, rol: str = "user", **options: Any) -> JsSocket:
        """A client of chatd that has joined its rooms."""
        return await self.enter_by(self.chatd.url, user, rol, **options)

    async def enter_by(self, url: str, user: str, rol: str = "user", **options: Any) -> JsSocket:
        """A client of chatd through a proxy."""
        return await enter(self._driver, url, user, rol, **options)

    async def enter_node(self, user: str, rol: str = "user", node: NodeNode | None = None) -> JsSocket:
        """A client of the Node.js node, or of another one, that has joined its rooms."""
        socket = await self._driver.open(
            (node or self.node).url, transports=["websocket"], auth={"user": user, "rol": rol, "token": "its own"}
        )
        await socket.connected()
        return socket

    async def until_joined(self, nodes: int = 2) -> None:
        """Wait until all nodes get requests."""
        await until_joined(self.node, nodes)


async def until_joined(node: NodeNode, nodes: int) -> None:
    async with asyncio.timeout(SOON_S):
        while await node.driver.order("heard") != [REQUESTS, nodes]:
            pass


@contextlib.asynccontextmanager
async def neighbourhood(folder: Path, driver: Driver, *flags: str) -> AsyncIterator[Neighbourhood]:
    """One chatd on SQLite and one Node.js node on the same Redis."""
    secret, port = folder / "secret", free_port()
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with RedisServer(folder) as redis:
        redis.start()
        own = ("--bus-adapter", "socket.io", "--bus-adapter-url", f"unix://{redis.path}")
        command = processes.chat_command(port, folder / "chat.db", secret, *own, *UNHURRIED, *flags)
        with processes.running(command, port, folder / "chatd.log") as chatd:
            async with running_node(redis.path) as node:
                await until_joined(node, 2)
                yield Neighbourhood(driver, redis, chatd, node)
