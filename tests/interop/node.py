"""A JavaScript process with one release of socket.io-client, and Python objects for its sockets.

Nothing here sleeps: each wait is for an event that the client reports, with the timeout `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import itertools
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from tests.interop.values import pack, unpack

HERE: Final = Path(__file__).parent
PATIENCE_S: Final = 20.0


class NodeError(AssertionError):
    """The driver or the client failed unexpectedly."""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """An event that a socket reported; `ack` is set if the server waits for an acknowledgement."""

    name: str
    args: list[Any]
    ack: int | None


class JsSocket:
    """One socket of a socket.io-client. Received events wait in one queue for each event name."""

    def __init__(self, driver: Driver, name: str) -> None:
        self._driver = driver
        self.name = name
        self._heard: collections.defaultdict[str, asyncio.Queue[Event]] = collections.defaultdict(asyncio.Queue)

    async def connected(self) -> dict[str, Any]:
        """Wait for `connect`: {"id": ..., "transport": ...}. Raises NodeError as soon as the server refuses."""
        connect = asyncio.ensure_future(self._heard[":connect"].get())
        refused = asyncio.ensure_future(self._heard[":connect_error"].get())
        done, waiting = await asyncio.wait({connect, refused}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if connect not in done:
            raise NodeError(f"no connection: {[task.result().args for task in done] or 'silence'}")
        answer: dict[str, Any] = connect.result().args[0]
        return answer

    async def refused(self) -> dict[str, Any]:
        """Wait for `connect_error`: {"message": ..., "data": ...}."""
        answer: dict[str, Any] = (await self.hear(":connect_error"))[0]
        return answer

    async def hear(self, event: str) -> list[Any]:
        """The arguments of the next `event`; a leading colon marks events of the client itself."""
        return (await self._next(event)).args

    async def answer_next(self, event: str, *args: Any) -> list[Any]:
        """Wait for `event` and acknowledge it."""
        heard = await self._next(event)
        if heard.ack is None:
            raise NodeError(f"{event} asks for no acknowledgement")
        await self._driver.order("answer", ack=heard.ack, args=pack(args))
        return heard.args

    def heard(self, event: str) -> int:
        """The number of received `event`s in the queue."""
        return self._heard[event].qsize()

    async def emit(self, event: str, *args: Any) -> None:
        await self._order("emit", event=event, args=pack(args))

    async def ask(self, event: str, *args: Any) -> list[Any]:
        """Emit with a callback; returns what the server acknowledged with."""
        answer: list[Any] = unpack(await self._order("ask", event=event, args=pack(args)))
        return answer

    async def transport(self) -> str:
        """The transport's name as the client sees it now."""
        return str(await self._order("transport"))

    async def sid(self) -> str:
        """The id of the Engine.IO session that the client has now."""
        return str(await self._order("sid"))

    async def upgraded(self) -> None:
        """Wait until the client has left polling for WebSocket."""
        if await self.transport() != "websocket":
            await self.hear(":upgrade")

    async def close(self) -> None:
        await self._order("close")

    async def connect(self) -> None:
        await self._order("connect")

    def take(self, event: Event) -> None:
        """Called by the driver for each event that this socket reports."""
        self._heard[event.name].put_nowait(event)

    async def _next(self, event: str) -> Event:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._heard[event].get()
        except TimeoutError:
            rest = {name: queue.qsize() for name, queue in self._heard.items() if queue.qsize()}
            raise NodeError(f"{self.name} never heard {event}; unheard: {rest}") from None

    async def _order(self, do: str, **details: Any) -> Any:
        return await self._driver.order(do, socket=self.name, **details)


class Channel(Protocol):
    """The connection to the program that runs the client: commands out, lines in."""

    def send(self, line: str) -> None: ...

    def lines(self) -> AsyncIterator[str | bytes]:
        """All lines until the program ends."""

    async def end(self) -> None:
        """Close the command stream and wait for the program to exit."""


class Process:
    """A child process: commands on stdin, lines on stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    def send(self, line: str) -> None:
        self._stdin.write(line.encode() + b"\n")

    async def lines(self) -> AsyncIterator[str | bytes]:
        async for line in self._stdout:
            yield line

    async def end(self) -> None:
        self._stdin.close()
        await self._process.wait()


class Driver:
    """A program that takes the commands of driver.mjs."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ids = itertools.count(1)
        # The driver reports that it is ready as an answer to command 0.
        self.ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting = {0: self.ready}
        self._sockets: dict[str, JsSocket] = {}
        self._reader = asyncio.ensure_future(self._read())

    async def open(self, url: str, **options: Any) -> JsSocket:
        """`io(url, options)` with a new connection."""
        socket = self._new_socket()
        options = {"forceNew": True, "reconnectionDelay": 50} | options
        await self.order("open", socket=socket.name, url=url, options=options)
        return socket

    async def open_beside(self, other: JsSocket, namespace: str, **options: Any) -> JsSocket:
        """A socket of another namespace on the connection of `other`."""
        socket = self._new_socket()
        await self.order("beside", socket=socket.name, other=other.name, namespace=namespace, options=options)
        return socket

    async def forget(self) -> None:
        """Disconnect every socket, so that the next test starts without any."""
        await self.order("forget")
        self._sockets.clear()

    async def order(self, do: str, **details: Any) -> Any:
        """Send one command and wait for its answer."""
        if self._reader.done():
            raise NodeError("the driver has ended: its stderr has the reason")
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._channel.send(json.dumps({"id": number, "do": do, **details}))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except TimeoutError:
            raise NodeError(f"no answer to {do} {details}") from None

    async def stop(self) -> None:
        """Close the command stream: the process exits by itself."""
        await self._channel.end()
        await self._reader

    async def _read(self) -> None:
        async for line in self._channel.lines():
            self._take(json.loads(line))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NodeError("the driver ended: its stderr has the reason"))

    def _new_socket(self) -> JsSocket:
        socket = JsSocket(self, f"socket {next(self._ids)}")
        self._sockets[socket.name] = socket
        return socket

    def _take(self, line: dict[str, Any]) -> None:
        match line:
            case {"socket": str(name), "on": str(event), "args": list(args)}:
                if name in self._sockets:  # events of closed sockets are dropped
                    self._sockets[name].take(Event(event, unpack(args), line.get("ack")))
            case {"id": int(number), "ok": result}:
                self._settle(number).set_result(result)
            case {"id": int(number), "error": str(stack)}:
                self._settle(number).set_exception(NodeError(stack))

    def _settle(self, number: int) -> asyncio.Future[Any]:
        answer = self._waiting.pop(number)
        # The waiting task may have been cancelled: then the answer is dropped.
        return answer if not answer.done() else asyncio.get_running_loop().create_future()


def node_executable() -> str:
    """Node.js of the virtual environment (`make setup`), or else of the machine."""
    own = Path(sys.executable).parent
    found = shutil.which("node", path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise NodeError("there is no Node.js here: run `make setup`")
    return found


def bun_executable() -> str:
    """Bun, which has its own WebSocket and HTTP clients; `make setup` installs it beside the client releases."""
    return str(HERE / "node_modules" / ".bin" / "bun")


def running_driver(runtime: str, release: str) -> AbstractAsyncContextManager[Driver]:
    """A process of `runtime` with socket.io-client `release` ("4.8", "4.0", "3.1")."""
    return running_program(runtime, str(HERE / "driver.mjs"), f"socket.io-client-{release}")


@contextlib.asynccontextmanager
async def running_program(*command: str) -> AsyncIterator[Driver]:
    """A process that takes the commands of driver.mjs."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,  # one line carries one event, binary included
    )
    async with driving(Process(process)) as driver:
        yield driver


@contextlib.asynccontextmanager
async def driving(channel: Channel) -> AsyncIterator[Driver]:
    """The driver at the other end of `channel`, once it is ready."""
    driver = Driver(channel)
    try:
        await driver.ready
        yield driver
    finally:
        await driver.stop()
