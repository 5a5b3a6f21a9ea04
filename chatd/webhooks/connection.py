"""One connection to a receiver: an asyncio protocol, one request at a time. Rules W-05 and W-07.

Streams and h11 for every request cost two thirds of an event. So the request is one write, and h11 parses only answers
that are not plain: see answer.py.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

import h11

from chatd.webhooks.answer import MAX_ANSWER_BYTES, Answer, plain_answer

_ANY_REQUEST: Final = h11.Request(method="GET", target="/", headers=[("Host", "-")])
"""Puts h11 in the state to read an answer; what it would send is not sent."""


class GoneError(ConnectionError):
    """A connection ended before its answer."""


class Connection(asyncio.Protocol):
    """It may be used again while `is_reusable`."""

    def __init__(self) -> None:
        self._tcp: asyncio.Transport
        self._waiting: asyncio.Future[Answer] | None = None
        self._unusual: Unusual | None = None
        self.is_reusable = False

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """The answer, or an OSError or h11.RemoteProtocolError; then the connection is closed."""
        answer = self._waiting = asyncio.get_running_loop().create_future()
        if self._tcp.is_closing():
            self._fail(GoneError("the receiver has closed the connection"))
        else:
            self._tcp.write(request)
        return answer

    def close(self) -> None:
        self.is_reusable = False
        self._tcp.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        self.is_reusable = True

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # no request: whose answer it would be, nobody knows
            self.close()
            return
        answer = plain_answer(data) if self._unusual is None else None
        if answer is not None:
            self._finish(answer)
            return
        if self._unusual is None:
            self._unusual = Unusual()
        self._feed(self._unusual, data)

    def eof_received(self) -> None:
        """The end of the connection may be the end of an answer. The transport is closed after this call."""
        self.is_reusable = False
        if self._unusual is not None and self._waiting is not None:
            self._feed(self._unusual, b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_reusable = False
        self._fail(exc or GoneError("the receiver closed the connection before its answer"))

    # Internals.

    def _feed(self, unusual: Unusual, data: bytes) -> None:
        try:
            answer = unusual.feed(data)
        except (h11.RemoteProtocolError, GoneError) as error:
            self.close()
            self._fail(error)
            return
        if answer is not None:
            if not unusual.keeps_connection:
                self.close()
            self._unusual = None
            self._finish(answer)

    def _finish(self, answer: Answer) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)


class Unusual:
    """An answer in pieces, in chunks, up to the end of the connection, or with interim answers before it."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._http.send(_ANY_REQUEST)
        self._http.send(h11.EndOfMessage())
        self._status = 0
        self._body = bytearray()

    @property
    def keeps_connection(self) -> bool:
        """Whether the answer is complete, with nothing behind it, and the next one can follow."""
        return self._http.their_state is h11.DONE and not self._http.trailing_data[0]

    def feed(self, data: bytes) -> Answer | None:
        """The answer once it is complete, or too long. Empty `data` is the end. Raises h11.RemoteProtocolError."""
        self._http.receive_data(data)
        while (event := self._http.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._status = event.status_code
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.ConnectionClosed):
                raise GoneError("the receiver closed the connection before its answer")
            if isinstance(event, h11.EndOfMessage) or len(self._body) > MAX_ANSWER_BYTES:
                return Answer(self._status, bytes(self._body))
        return None
