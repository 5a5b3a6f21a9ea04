"""A TCP connection in memory: bytes from the client in, bytes from the server out."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

PEER: Final = ("192.0.2.1", 50_000)


class MemoryTransport(asyncio.Transport):
    """The server's transport. It closes in the next turn of the loop, as a socket transport does."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": PEER, "sslcontext": object()})  # no file descriptor, as under TLS
        self._protocol = protocol
        self._closing = False
        self._paused = False
        self.sent = bytearray()
        protocol.connection_made(self)

    # The client's side.

    def receive(self, data: bytes) -> None:
        """Bytes from the client; dropped once the transport is closing."""
        if data and not (self._closing or self._paused):
            self._protocol.data_received(data)

    def lose(self) -> None:
        """The connection breaks."""
        if not self._closing:
            self._closing = True
            self._protocol.connection_lost(ConnectionResetError())

    # The server's side.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self.sent += data

    def write_eof(self) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._closed)

    abort = close

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False

    def is_reading(self) -> bool:
        return not (self._paused or self._closing)

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: Any = None, low: Any = None) -> None: ...

    def _closed(self) -> None:
        self._protocol.connection_lost(None)
