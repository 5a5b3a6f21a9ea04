"""A TCP proxy between clients and a server that can drop the end of the server's stream.

async with proxy(server.port) as between:
    socket = await node.open(between.url, ...)
    between.lose(b'"ok":true')
    await between.lost()  # the server has sent it, no client has received it, and every connection is cut
    between.restore()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bench.accepting import accepting
from bench.ports import free_port

PATIENCE_S = 20.0


class Proxy:
    """Forwards connections to `target`, a port of this machine. While it is down, it closes new connections."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.cuts = 0
        self.target = target
        self._sought = b""
        self._swallowed = b""
        self._was_swallowed = asyncio.Event()
        self._lost = asyncio.Event()
        self._down = False
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lose(self, sought: bytes) -> None:
        """Cut all connections when the server sends `sought`, without forwarding it."""
        self._sought = sought
        self._lost.clear()

    def swallow(self, words: bytes) -> None:
        """Drop what a client sends from `words` on, and keep its connection open."""
        self._swallowed = words
        self._was_swallowed.clear()

    async def swallowed(self) -> None:
        """Wait until a client has sent those words."""
        async with asyncio.timeout(PATIENCE_S):
            await self._was_swallowed.wait()

    async def lost(self) -> None:
        """Wait until the server has sent the sought words."""
        async with asyncio.timeout(PATIENCE_S):
            await self._lost.wait()

    def interrupt(self) -> None:
        """Cut every connection, and close new ones."""
        self._down = True
        self.cut()

    def restore(self) -> None:
        """Forward new connections again."""
        self._down = False

    def cut(self) -> None:
        """Reset every connection, as a network failure does: no HTTP, WebSocket or Engine.IO close."""
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        cuts = self.cuts
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, server_writer}
        with contextlib.suppress(OSError):
            if not self._down and cuts == self.cuts:  # nothing was cut while the connection was being made
                await asyncio.gather(
                    self._pump(reader, server_writer, seek=False), self._pump(server_reader, writer, seek=True)
                )
        self._writers -= {writer, server_writer}
        writer.transport.abort()
        server_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, seek: bool) -> None:
        before = b""
        while data := await reader.read(65_536):
            if seek and self._sought and self._sought in before + data:
                self._lose()
                return
            if not seek and self._swallowed and self._swallowed in data:
                self._was_swallowed.set()
                await reader.read()
                break
            before = data[-len(self._sought) :]
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    def _lose(self) -> None:
        self._sought = b""
        self.interrupt()
        self._lost.set()


@contextlib.asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy for the time of a block."""
    between = Proxy(target)
    async with accepting(between.port, between.serve, between.interrupt):
        yield between
