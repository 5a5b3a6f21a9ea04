"""One HTTP request and the methods that answer it: the interface of a connection for handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatd.engineio.request import Request
from chatd.engineio.turns import Payer

if TYPE_CHECKING:
    from chatd.engineio.http import HttpConnection


class Exchange:
    """One request. The handler calls exactly one of `respond`, `upgrade`, `stream` and `drop`."""

    __slots__ = ("_body", "_connection", "_limit_bytes", "_on_body", "_on_too_long", "headers", "on_lost",
                 "request")  # fmt: skip

    def __init__(self, connection: HttpConnection, request: Request) -> None:
        self._connection = connection
        self.request = request
        self.headers: list[tuple[bytes, bytes]] = []  # of the answer, added to those that `respond` is given
        self.on_lost: Callable[[], None] | None = None  # called if the client disconnects before the answer
        self._on_body: Callable[[bytes], None] | None = None
        self._on_too_long: Callable[[], None] | None = None
        self._body = bytearray()
        self._limit_bytes = 0

    @property
    def payer(self) -> Payer:
        """The payer of this request, and of the next one of its connection until that has its own; see turns.py."""
        return self._connection.payer

    @payer.setter
    def payer(self, payer: Payer) -> None:
        self._connection.payer = payer

    @property
    def transport(self) -> asyncio.Transport:
        """The asyncio transport of the connection."""
        return self._connection.transport

    @property
    def body_bytes(self) -> int:
        """The bytes of the body that have arrived, while the rest has not."""
        return len(self._body)

    def receive(self, limit_bytes: int, on_body: Callable[[bytes], None], on_too_long: Callable[[], None]) -> None:
        """Read the body, then call `on_body`; or `on_too_long`, as soon as the body is known to exceed the limit.

        The callback must answer the request.
        """
        announced = self.request.header(b"content-length")
        if announced is not None and int(announced) > limit_bytes:
            on_too_long()
            return
        self._limit_bytes, self._on_body, self._on_too_long = limit_bytes, on_body, on_too_long

    def respond(self, status: int, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Answer. Legal before the whole body has arrived: the rest of it is then discarded."""
        self._end()
        self._connection.respond(status, body, [*headers, *self.headers])

    def upgrade(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes = b"") -> None:
        """Answer 101 and give the connection to `protocol`, with the bytes that followed the request.

        `first` has the first bytes of the new protocol; they are written together with the answer.
        """
        self._end()
        self._connection.upgrade(protocol, [*headers, *self.headers], first)

    def stream(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes = b"") -> None:
        """Answer 200 with a body that `protocol` writes; the end of the connection ends the body."""
        self._end()
        self._connection.hand_over(200, protocol, [*headers, *self.headers, (b"Connection", b"close")], first)

    def drop(self) -> None:
        """Close the connection without an answer."""
        self._end()
        self._connection.abort()

    def on_data(self, data: bytes) -> None:
        if self._on_body is None:
            return
        self._body += data
        if len(self._body) > self._limit_bytes and self._on_too_long is not None:
            self._on_too_long()

    def on_end(self) -> None:
        if self._on_body is not None:
            on_body, self._on_body = self._on_body, None
            body, self._body = bytes(self._body), bytearray()
            on_body(body)

    def lost(self) -> None:
        on_lost = self.on_lost
        self._end()
        if on_lost is not None:
            on_lost()

    def _end(self) -> None:
        self.on_lost = self._on_body = self._on_too_long = None
