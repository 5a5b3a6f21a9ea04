"""A connection over the limit: any request is answered 503, and the connection is closed. Rule L-01 of protocol.md.

The answer is sent after the first bytes of the request have arrived; then the peer has STAY_S seconds to close. If the
server closed with unread bytes, TCP would reset the connection, and the client might lose the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from chatd.base.timers import Timers
from chatd.engineio.admission import FULL_RETRY_S
from chatd.engineio.connections import Connections, Explain

# How long a refused connection may stay open.
STAY_S: Final = 1.0

# Beyond this many refused connections, new ones are closed without an answer, so that they do not use up open files.
MAX_AT_A_TIME: Final = 256

_BODY: Final = b'{"code":6,"message":"Try again later","detail":"too many connections"}'

_HEADERS: Final = [(b"Content-Type", b"application/json")]


def answer_of(explain: Explain) -> bytes:
    """Status line, headers and body of the answer."""
    body, headers = explain(503)
    if not body:
        body, headers = _BODY, _HEADERS
    lines = [
        b"HTTP/1.1 503 Service Unavailable",
        *(b"%b: %b" % header for header in headers),
        b"Content-Length: %d" % len(body),
        b"Retry-After: %d" % FULL_RETRY_S,
        b"Connection: close",
        b"",
        body,
    ]
    return b"\r\n".join(lines)


class Busy(asyncio.Protocol):
    """The protocol of `tcp`, a connection that has just been accepted and is refused."""

    __slots__ = ("_answered", "_connections", "_tcp", "_timers", "due_tick")

    def __init__(self, tcp: asyncio.Transport, timers: Timers, connections: Connections) -> None:
        self.due_tick = 0
        self._tcp = tcp
        self._timers = timers
        self._connections = connections
        self._answered = False
        tcp.set_protocol(self)
        if connections.turned_away > MAX_AT_A_TIME:
            tcp.abort()
        else:
            timers.arm(self, STAY_S)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        self._answered = True
        self._tcp.write(answer_of(self._connections.explain))
        if self._tcp.can_write_eof():
            with contextlib.suppress(OSError):  # the peer has closed already; `connection_lost` follows
                self._tcp.write_eof()
        else:
            self._tcp.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.turned_away -= 1
        self._connections.discard(self._tcp)
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        self._tcp.abort()
