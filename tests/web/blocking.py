"""A proxy that blocks WebSocket, as some companies and hotels have."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator
from typing import Final

FORBIDDEN: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Treatment(enum.Enum):
    """What the proxy does with a WebSocket handshake."""

    REFUSE = "refuse"
    SWALLOW = "swallow"  # read, and never answered
    PASS = "pass"


class BlockingProxy:
    """Copies bytes both ways. `treatment` may change while it runs."""

    def __init__(self, upstream: int, treatment: Treatment) -> None:
        self.treatment = treatment
        self.asked = 0  # number of WebSocket handshakes
        self.port = 0
        self._upstream = upstream
        self._running: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[BlockingProxy]:
        server = await asyncio.start_server(self._on_client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.gather(*self._running, return_exceptions=True)

    def cut(self) -> None:
        """End every connection that is open."""
        for writer in self._writers:
            writer.transport.abort()

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, EOFError):
                await self._serve(reader, writer)
        finally:
            self._running.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in head.lower():
            self.asked += 1
            if self.treatment is Treatment.REFUSE:
                writer.write(FORBIDDEN)
                await writer.drain()
                return
            if self.treatment is Treatment.SWALLOW:
                await reader.read()
                return
        above, upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        upstream.write(head)
        self._writers.add(upstream)
        try:
            await asyncio.gather(_copy(reader, upstream), _copy(above, writer))
        finally:
            self._writers.discard(upstream)
            upstream.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
