"""A line to Redis, or to any server of this machine, that can be cut: TCP in, TCP out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from bench.accepting import accepting
from bench.ports import free_port

CHUNK: Final = 65_536


class Link:
    """Passes everything on until it is held or cut, and again once it is restored."""

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
        """A black hole: no byte passes, and neither side is told. What is still open at the end gets it all late."""
        self._flows.clear()

    def cut(self) -> None:
        """Both sides of every connection are reset, new ones likewise."""
        self._is_cut = True
        self._reset()

    def restore(self) -> None:
        self._is_cut = False
        self._flows.set()

    def end(self) -> None:
        """Cut it for good; what was held goes on, to its end."""
        self._flows.set()
        self.cut()

    async def serve(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
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
            await self._flows.wait()  # the end of a connection does not pass either
            writer.transport.abort()

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def link(target: int) -> AsyncIterator[Link]:
    """A line to a port of this machine for the time of a block."""
    between = Link(target)
    async with accepting(between.port, between.serve, between.end):
        yield between
