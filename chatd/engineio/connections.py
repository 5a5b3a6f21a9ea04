"""The open TCP connections, whatever they speak at the moment: counted, and closed at the end."""

from __future__ import annotations

import asyncio


class Connections:
    """Every accepted connection is added once and discarded once."""

    def __init__(self) -> None:
        self._open: set[asyncio.Transport] = set()
        self._empty: asyncio.Event | None = None

    def add(self, connection: asyncio.Transport) -> None:
        self._open.add(connection)

    def discard(self, connection: asyncio.Transport) -> None:
        self._open.discard(connection)
        if self._empty is not None and not self._open:
            self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    async def close(self, patience_s: float) -> None:
        """Wait for `patience_s` until the peers have closed, then close what is left, and wait for that."""
        if not self._open:
            return
        self._empty = asyncio.Event()
        try:
            async with asyncio.timeout(patience_s):
                await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self._open):
                connection.abort()  # `close` would wait for a peer that does not read
            await self._empty.wait()
