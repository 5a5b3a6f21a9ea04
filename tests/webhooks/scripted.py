"""A receiver whose answers the test gives one by one, for the transcripts of protocol.md."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from tests.webhooks.receiver import PATIENCE_S


class Told(NamedTuple):
    """A received request that waits for its answer."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    status: asyncio.Future[int]


class Scripted:
    """`heard` returns the next request, `answer` sends the status for the last one."""

    def __init__(self) -> None:
        self.port = 0
        self._requests: asyncio.Queue[Told] = asyncio.Queue()
        self._last: Told
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def heard(self) -> Told:
        async with asyncio.timeout(PATIENCE_S):
            self._last = await self._requests.get()
        return self._last

    def answer(self, status: int) -> None:
        self._last.status.set_result(status)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                told = await _read(reader)
                self._requests.put_nowait(told)
                writer.write(b"HTTP/1.1 %d Because\r\nContent-Length: 0\r\n\r\n" % await told.status)
        self._open.discard(writer)
        writer.transport.abort()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Told:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = (await reader.readexactly(int(headers["content-length"]))).decode()
    return Told(method, target, headers, body, asyncio.get_running_loop().create_future())


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    receiver = Scripted()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        receiver.cut()
