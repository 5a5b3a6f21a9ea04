"""The end of a connection to which nothing more is written, while its peer may still be sending.

Closing a TCP connection with bytes unread resets it, and the reset overtakes what was written last (RFC 9112, section
9.6). So only our half is closed, and what still comes is thrown away until the peer closes too.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from chatd.base.timers import Timers
from chatd.engineio.connections import Connections

LINGER_S: Final = 5.0


class Linger(asyncio.Protocol):
    """Takes over `tcp`, to which the last word has been written."""

    __slots__ = ("_connections", "_tcp", "_timers", "due_tick")

    def __init__(self, tcp: asyncio.Transport, timers: Timers, connections: Connections) -> None:
        self.due_tick = 0
        self._tcp = tcp
        self._timers = timers
        self._connections = connections
        tcp.set_protocol(self)
        tcp.resume_reading()
        if tcp.can_write_eof():
            with contextlib.suppress(OSError):  # the peer has gone already; `connection_lost` follows
                tcp.write_eof()
        else:
            tcp.close()  # TLS has a goodbye of its own, and reads on until the peer's comes
        timers.arm(self, LINGER_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._tcp)
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        self._tcp.abort()
