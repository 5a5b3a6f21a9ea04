"""A TCP proxy between clients and a server that can lose the end of what the server says.

async with proxy(server.port) as between:
    socket = await node.open(between.url, ...)
    between.lose(b'"ok":true')
    await between.lost()  # the server has said it, nobody has heard it, and every connection is cut
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
    """Whatever comes in goes on to `target`, a port of this machine, and back; while it is down, nobody comes in."""

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
        """From the first words of the server that contain `sought` on, nothing gets through."""
        self._sought = sought
        self._lost.clear()

    def swallow(self, words: bytes) -> None:
        """What a client says from those words on does not reach the server, and its connection stays open."""
        self._swallowed = words
        self._was_swallowed.clear()

    async def swallowed(self) -> None:
        """Wait until a client has said it."""
        async with asyncio.timeout(PATIENCE_S):
            await self._was_swallowed.wait()

    async def lost(self) -> None:
        """Wait until the server has said it."""
        async with asyncio.timeout(PATIENCE_S):
            await self._lost.wait()

    def interrupt(self) -> None:
        """Cut every connection, and let nobody in."""
        self._down = True
        self.cut()

    def restore(self) -> None:
        """Let everybody in again."""
        self._down = False

    def cut(self) -> None:
        """End every connection, as a network does: without a word of HTTP, WebSocket or Engine.IO."""
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
