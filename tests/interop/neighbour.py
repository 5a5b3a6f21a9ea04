"""A Node.js node beside chatd: the reference server with @socket.io/redis-adapter; a test sends it commands."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.interop.node import HERE, Driver, node_executable, running_program
from tests.interop.values import pack, unpack


@dataclasses.dataclass(frozen=True, slots=True)
class NodeNode:
    """`url` is where clients connect."""

    driver: Driver
    url: str

    async def io(self, *chain: tuple[Any, ...]) -> Any:
        """`io.to("admins").emit("h", 1)` is `io(("to", "admins"), ("emit", "h", 1))`."""
        return await self.call("io", *chain)

    async def emitter(self, *chain: tuple[Any, ...]) -> Any:
        """As `io`, through @socket.io/redis-emitter."""
        return await self.call("emitter", *chain)

    async def call(self, on: str, *chain: tuple[Any, ...]) -> Any:
        return unpack(await self.driver.order("call", on=on, chain=pack(chain)))

    async def publish(self, channel: str, data: bytes) -> int:
        """PUBLISH any bytes; returns the number of subscribers."""
        return int(await self.driver.order("publish", channel=channel, data=b64encode(data).decode()))

    @contextlib.asynccontextmanager
    async def standing_still(self) -> AsyncIterator[None]:
        """The process does nothing meanwhile."""
        pid = int(await self.driver.order("pid"))
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def running_node(redis: Path) -> AsyncIterator[NodeNode]:
    """A running process; `redis` is the path of Redis' unix socket."""
    async with running_program(node_executable(), str(HERE / "node_neighbour.mjs"), str(redis)) as driver:
        yield NodeNode(driver, f"http://127.0.0.1:{await driver.ready}")
