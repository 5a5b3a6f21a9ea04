"""The connection of one stream of events; its client may read slowly or not at all. Rule A-25."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

Lost = Callable[[asyncio.Transport], None]


class StalledError(ConnectionError):
    """The client has not read pending data for too long."""


class EventStream(asyncio.Protocol):
    """Ignores data from the client. `on_lost` is called when the connection has ended."""

    def __init__(self, patience_s: float, on_lost: Lost) -> None:
        self._patience_s = patience_s
        self._on_lost = on_lost
        self._tcp: asyncio.Transport
        self._writable = asyncio.Event()
        self._writable.set()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        self._tcp.set_write_buffer_limits(0)  # so that a small amount of unread data is noticed too

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()
        self._on_lost(self._tcp)

    async def write(self, data: bytes) -> None:
        """Returns once the operating system has accepted all data. Raises StalledError."""
        self._tcp.write(data)
        while not self._writable.is_set():
            waiting = self._tcp.get_write_buffer_size()
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._writable.wait()
            except TimeoutError:
                if self._tcp.get_write_buffer_size() >= waiting:
                    raise StalledError from None

    def close(self) -> None:
        self._tcp.close()

    def abort(self) -> None:
        """Close and drop unsent data."""
        self._tcp.abort()
