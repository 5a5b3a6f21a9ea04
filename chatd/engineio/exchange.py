"""One HTTP request, and the way to answer it: what handlers see of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatd.engineio.request import Request
from chatd.engineio.turns import Payer

if TYPE_CHECKING:
    from chatd.engineio.http import HttpConnection


class Exchange:
    """One request and the way to answer it. Exactly one of `respond`, `upgrade`, `stream` and `drop` ends it."""

    __slots__ = ("_body", "_connection", "_limit_bytes", "_on_body", "_on_too_long", "headers", "on_lost",
                 "request")  # fmt: skip

    def __init__(self, connection: HttpConnection, request: Request) -> None:
        self._connection = connection
        self.request = request
        self.headers: list[tuple[bytes, bytes]] = []  # of the answer, besides those that `respond` is given
        self.on_lost: Callable[[], None] | None = None  # the client went away before its answer
        self._on_body: Callable[[bytes], None] | None = None
        self._on_too_long: Callable[[], None] | None = None
        self._body = bytearray()
        self._limit_bytes = 0

    @property
    def payer(self) -> Payer:
        """Who pays for this request and, until that is known, for the next one of its connection; see turns.py."""
        return self._connection.payer

    @payer.setter
    def payer(self, payer: Payer) -> None:
        self._connection.payer = payer

    @property
    def transport(self) -> asyncio.Transport:
        """Of the connection, whatever it will speak."""
        return self._connection.transport

    @property
    def body_bytes(self) -> int:
        """How much of the body has come and waits for the rest."""
        return len(self._body)

    def receive(self, limit_bytes: int, on_body: Callable[[bytes], None], on_too_long: Callable[[], None]) -> None:
        """Read the body, then call `on_body`; or `on_too_long`, as soon as it is known to be over the limit.

        Either must answer.
        """
        announced = self.request.header(b"content-length")
        if announced is not None and int(announced) > limit_bytes:
            on_too_long()
            return
        self._limit_bytes, self._on_body, self._on_too_long = limit_bytes, on_body, on_too_long

    def respond(self, status: int, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Answer. Legal before the body is whole: the rest of it is then discarded."""
        self._end()
        self._connection.respond(status, body, [*headers, *self.headers])

    def upgrade(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes = b"") -> None:
        """Answer 101 and hand the connection, with what was sent after the request, to `protocol`.

        `first` is what the new protocol has to say at once: it goes out with the answer.
        """
        self._end()
        self._connection.upgrade(protocol, [*headers, *self.headers], first)

    def stream(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes = b"") -> None:
        """Answer 200 with a body that `protocol` writes, and that ends with the connection."""
        self._end()
        self._connection.hand_over(200, protocol, [*headers, *self.headers, (b"Connection", b"close")], first)

    def drop(self) -> None:
        """Cut the connection without an answer."""
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
