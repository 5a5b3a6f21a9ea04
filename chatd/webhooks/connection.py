"""A connection to a receiver: an asyncio protocol, one request at a time. Rules W-05 and W-07.

asyncio streams and h11 took two thirds of the CPU time of an event. So a request is one write, and h11 parses only
responses that answer.py does not.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

import h11

from chatd.webhooks.answer import MAX_ANSWER_BYTES, Answer, plain_answer

_ANY_REQUEST: Final = h11.Request(method="GET", target="/", headers=[("Host", "-")])
"""Puts h11 into the state in which it reads a response; it is not sent."""


class GoneError(ConnectionError):
    """The connection ended before the response was complete."""


class Connection(asyncio.Protocol):
    """One connection; `is_reusable` says whether another request may be sent on it."""

    def __init__(self) -> None:
        self._tcp: asyncio.Transport
        self._waiting: asyncio.Future[Answer] | None = None
        self._unusual: Unusual | None = None
        self.is_reusable = False

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send `request`. If the future fails, with OSError or h11.RemoteProtocolError, the connection is closed."""
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
        if self._waiting is None:  # unsolicited data: it must not be taken for the next answer
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
        """The end of the stream may end a response without a length. asyncio closes the transport after this call."""
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
    """A response that h11 parses: in several reads, chunked, ended by the connection, or after interim responses."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._http.send(_ANY_REQUEST)
        self._http.send(h11.EndOfMessage())
        self._status = 0
        self._body = bytearray()

    @property
    def keeps_connection(self) -> bool:
        """Whether the response is complete, no data follows it, and the connection can be used again."""
        return self._http.their_state is h11.DONE and not self._http.trailing_data[0]

    def feed(self, data: bytes) -> Answer | None:
        """Returns the answer when it is complete or too long. Empty `data` means the end of the stream.

        Raises h11.RemoteProtocolError and GoneError.
        """
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
