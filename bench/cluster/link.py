"""A TCP proxy to Redis, or to any server of this machine, that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from bench.accepting import accepting
from bench.ports import free_port

CHUNK: Final = 65_536


class Link:
    """Forwards all data until it is held or cut, and again after a restore."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def hold(self) -> None:
        """Act as a black hole: forward nothing, and close nothing. Open connections get all data at the restore."""
        self._flows.clear()

    def cut(self) -> None:
        """Reset both sides of every connection, and all new ones."""
        self._is_cut = True
        self._reset()

    def restore(self) -> None:
        self._is_cut = False
        self._flows.set()

    def end(self) -> None:
        """Cut the link for good; held tasks continue to their end."""
        self._flows.set()
        self.cut()

    async def serve(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._flows.wait()
            far, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            if not self._is_cut:
                await asyncio.gather(self._pump(near, far_writer), self._pump(far, writer), return_exceptions=True)
            far_writer.transport.abort()
            self._writers.discard(far_writer)
        writer.transport.abort()
        self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        finally:
            await self._flows.wait()  # EOF is held back too
            writer.transport.abort()

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def link(target: int) -> AsyncIterator[Link]:
    """A link to a port of this machine for the time of a block."""
    between = Link(target)
    async with accepting(between.port, between.serve, between.end):
        yield between
