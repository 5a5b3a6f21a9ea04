"""driver.mjs for python-socketio. It runs in the virtual environment of that release, so it imports no chatd code.

Commands and output lines are those of sockets.mjs that steps.py uses; values are plain JSON.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import platform
import sys
from collections.abc import Callable
from typing import Any

import socketio


def write(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class Socket:
    """One client with one namespace."""

    def __init__(self, name: str, url: str, options: dict[str, Any]) -> None:
        self.name, self.url = name, url
        headers, auth = options.get("extraHeaders", {}), options.get("auth")
        # A new dict each time: the client removes the cookie from it when it opens a WebSocket (see findings/).
        self.given = {"headers": lambda: dict(headers), "auth": lambda: auth}
        self.given |= {"transports": options["transports"]} if "transports" in options else {}
        self.client = socketio.AsyncClient(reconnection_delay=options["reconnectionDelay"] / 1000)
        self.client.on("connect", self.on_connect)
        self.client.on("disconnect", self.on_disconnect)
        self.client.on("connect_error", self.on_connect_error)
        self.client.on("*", self.on_event)

    async def connect(self) -> None:
        try:
            await self.client.connect(self.url, **self.given)
        except socketio.exceptions.ConnectionError as error:
            self.on_connect_error({"message": str(error)})

    def on_connect(self) -> None:
        self.report("connect", {"id": self.client.sid, "transport": self.client.transport(), "recovered": False})

    def on_disconnect(self, *reason: str) -> None:
        self.report("disconnect", *reason)

    def on_connect_error(self, refused: Any) -> None:
        self.report("connect_error", refused)

    def on_event(self, event: str, *args: Any) -> None:
        write(socket=self.name, on=event, args=args)

    def report(self, on: str, *args: Any) -> None:
        write(socket=self.name, on=f":{on}", args=args)


class Driver:
    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        self.running: set[asyncio.Task[None]] = set()

    async def open(self, socket: str, url: str, options: dict[str, Any]) -> None:
        opened = self.sockets[socket] = Socket(socket, url, options)
        self.begin(opened.connect())

    async def ask(self, socket: str, event: str, args: list[Any]) -> list[Any]:
        answer = await self.sockets[socket].client.call(event, tuple(args))
        return list(answer) if isinstance(answer, tuple) else [answer]

    async def transport(self, socket: str) -> str:
        return str(self.sockets[socket].client.transport())

    async def close(self, socket: str) -> None:
        await self.sockets[socket].client.disconnect()

    async def forget(self) -> None:
        for socket in self.sockets.values():
            await socket.client.disconnect()
        self.sockets.clear()

    def begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def obey(self, id: int, do: str, **details: Any) -> None:  # the word of orders.mjs
        order: Callable[..., Any] = getattr(self, do)
        try:
            write(id=id, ok=await order(**details))
        except Exception as error:  # noqa: BLE001  # of whatever release this is
            write(id=id, error=repr(error))


async def main() -> None:
    version = importlib.metadata.version("python-socketio")
    write(id=0, ok={"version": version, "runtime": f"Python {platform.python_version()}"})
    driver = Driver()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async for line in orders:
        driver.begin(driver.obey(**json.loads(line)))
    await driver.forget()


asyncio.run(main())
