"""A lingering close: closes the server's half of a connection and discards input until the peer closes too.

If a TCP connection is closed with unread bytes, it is reset, and the peer may lose what was written last (RFC 9112,
section 9.6).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from chatd.base.timers import Timers
from chatd.engineio.connections import Connections

LINGER_S: Final = 5.0


class Linger(asyncio.Protocol):
    """The protocol of `tcp` after the last write."""

    __slots__ = ("_connections", "_tcp", "_timers", "due_tick")

    def __init__(self, tcp: asyncio.Transport, timers: Timers, connections: Connections) -> None:
        self.due_tick = 0
        self._tcp = tcp
        self._timers = timers
        self._connections = connections
        tcp.set_protocol(self)
        tcp.resume_reading()
        if tcp.can_write_eof():
            with contextlib.suppress(OSError):  # the peer has closed already; `connection_lost` follows
                tcp.write_eof()
        else:
            tcp.close()  # TLS has no half-close: asyncio sends close_notify and reads until the peer's arrives
        timers.arm(self, LINGER_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._tcp)
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        self._tcp.abort()
