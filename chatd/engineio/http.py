"""HTTP/1.1 connections: an asyncio protocol around h11, one request at a time, each answered through its `Exchange`.

Independent of Engine.IO: the handler gets each request as soon as its head is complete. Pipelined requests wait in
h11 until the request before them is answered. A connection has a deadline while the server waits for bytes of the
client, and none while the client waits for an answer. Rules E-15 to E-17 and E-47 of protocol.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, cast

import h11

from chatd.base.timers import Timers
from chatd.engineio.busy import Busy
from chatd.engineio.connections import Connections
from chatd.engineio.exchange import Exchange
from chatd.engineio.framing import StrictConnection
from chatd.engineio.handshake import plain_handshake
from chatd.engineio.limits import Limit
from chatd.engineio.linger import Linger
from chatd.engineio.request import by_name, parse_request
from chatd.engineio.turns import BYTES_SHIFT, Payer, Price, Turns
from chatd.engineio.unfinished import Hold

# Pipelined bytes that are read ahead of an answer; the read that exceeds this limit is the last one.
MAX_PIPELINED_BYTES: Final = 16_384

# Bytes of a refused body that are read and discarded, so that the client can finish sending and read the answer.
MAX_DISCARDED_BYTES: Final = 1_048_576

# 503: too much incomplete input is held at this moment (L-12).
_RETRY_AFTER: Final = {503: [(b"Retry-After", b"1")]}

# Requests refused with other statuses are not valid HTTP and are not counted.
_LIMIT_OF: Final = {408: Limit.REQUEST_TIMEOUT, 431: Limit.MAX_HEADER}

# Optional since RFC 7230, but some clients cannot parse a status line without it.
_PHRASE_OF: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_CONTINUE: Final = h11.InformationalResponse(status_code=100, headers=[], reason=_PHRASE_OF[100])

log = logging.getLogger("chatd.engineio")


class HttpConnection(asyncio.Protocol):
    """One client connection for as long as it speaks HTTP."""

    __slots__ = (
        "_address", "_connections", "_discarded", "_exchange", "_first", "_handler", "_held", "_max_header_bytes",
        "_parser", "_secure", "_tcp", "_timeout_s", "_timers", "_turns", "_unfinished", "_unread", "credit", "due_tick",
        "payer",
    )  # fmt: skip

    def __init__(
        self,
        handler: Callable[[Exchange], None],
        timers: Timers,
        connections: Connections,
        turns: Turns,
        *,
        request_timeout_s: float,
        max_header_bytes: int,
    ) -> None:
        self.due_tick = 0
        self._handler = handler
        self._timers = timers
        self._connections = connections
        self._turns = turns
        self.payer: Payer
        self.credit = 0
        self._timeout_s = request_timeout_s
        self._max_header_bytes = max_header_bytes
        self._first = b""  # the first read, until h11 is given it
        self._parser: StrictConnection | None = None
        self._exchange: Exchange | None = None
        self._discarded = 0
        self._unread = False  # the write buffer is full: the client does not read its answers
        self._unfinished: Hold | None = None
        self._held = False  # received bytes wait for a later turn of the payer
        self._tcp: asyncio.Transport
        self._address = ""
        self._secure = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else ""
        self._secure = transport.get_extra_info("sslcontext") is not None
        self.payer = self._connections.payer(self._address)
        if self._connections.add(self._tcp, self._address) is None:
            self._timers.arm(self, self._timeout_s)
        else:
            Busy(self._tcp, self._timers, self._connections)

    def data_received(self, data: bytes) -> None:
        self._connections.received_bytes += len(data)
        self.credit -= len(data) >> BYTES_SHIFT
        if self._parser is None and not self._first:
            self._first = data
        else:
            try:
                self._h11.receive_data(data)
            except h11.RemoteProtocolError:  # bytes after a request that announced `Connection: close`
                self._tcp.abort()
                return
        if self._held:
            self._tcp.pause_reading()
            self._count_unfinished()
        else:
            self._advance()

    def eof_received(self) -> bool:
        """Requests that were received before the end of the stream are answered first, as for a WebSocket."""
        if not self._held or self._secure:
            return False
        self._tcp.pause_reading()
        return True

    def pause_writing(self) -> None:
        """The client does not read its answers: handle no more requests."""
        self._unread = True
        self._tcp.pause_reading()

    def resume_writing(self) -> None:
        self._unread = False
        if not self._held:
            self._tcp.resume_reading()
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._tcp)
        self._timers.cancel(self)
        if self._exchange is not None:
            self._exchange.lost()
            self._exchange = None
        self._release()

    def on_deadline(self) -> None:
        """The client has not sent a complete request, or has not read its answer, in time."""
        if self._tcp.get_write_buffer_size():
            self._tcp.abort()
            return
        between_requests = self._exchange is None and not self._h11.trailing_data[0]
        if between_requests and self._h11.their_state in (h11.IDLE, h11.DONE):
            self._tcp.close()
        else:
            self._refuse(408)

    # What turns call.

    def on_turn(self) -> None:
        """The turn that this connection waited for. The connection may be closed by now, or use WebSocket."""
        self._held = False
        self._resume()

    # What an exchange calls.

    @property
    def transport(self) -> asyncio.Transport:
        return self._tcp

    def respond(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        body_withheld = self._h11.they_are_waiting_for_100_continue
        exchange, self._exchange = self._exchange, None
        self._timers.arm(self, self._timeout_s)
        bodiless = exchange is not None and exchange.request.method == "HEAD"
        closing = [(b"Connection", b"close")] if body_withheld else []
        self._send(status, body, [*headers, *closing], bodiless=bodiless)
        if self._h11.our_state is h11.MUST_CLOSE and (body_withheld or self._h11.their_state is not h11.SEND_BODY):
            self._tcp.close()
        elif self._h11.their_state is h11.DONE:
            self._resume_soon()
        self._release()

    def upgrade(self, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes) -> None:
        self.hand_over(101, protocol, headers, first)

    def hand_over(
        self, status: int, protocol: asyncio.Protocol, headers: Sequence[tuple[bytes, bytes]], first: bytes
    ) -> None:
        """Send a response head and `first`, then pass the connection to `protocol`."""
        self._exchange = None
        self._timers.cancel(self)
        head = b"HTTP/1.1 %d %b" % (status, _PHRASE_OF[status])
        lines = [head, *(b"%b: %b" % header for header in headers), b"", first]
        self._tcp.write(b"\r\n".join(lines))
        trailing = b"" if self._parser is None else self._parser.trailing_data[0]
        self._tcp.set_protocol(protocol)
        protocol.connection_made(self._tcp)
        if trailing:
            protocol.data_received(trailing)

    def abort(self) -> None:
        self._exchange = None
        self._tcp.abort()

    # Internals.

    @property
    def _h11(self) -> StrictConnection:
        """The parser, created on first use, because a plain handshake needs none. It gets the bytes read so far. If a
        request is being answered, its event is taken from the parser.
        """
        if self._parser is None:
            self._parser = StrictConnection(h11.SERVER, max_incomplete_event_size=self._max_header_bytes)
            if self._first:
                self._parser.receive_data(self._first)
                self._first = b""
            if self._exchange is not None:
                self._parser.next_event()
        return self._parser

    def _advance(self) -> None:
        started = self._turns.start()
        self._take_events()
        self._count_unfinished()
        self._turns.finish(self, started)

    def _take_events(self) -> None:
        """Handle events of h11 until it needs more bytes or waits for an answer, a request is complete, or the payer's
        budget for this turn is used up.
        """
        if self._parser is None and not self._take_first():
            return
        if self._handles_requests() and self._request_is_done():
            self._h11.start_next_cycle()
        while self._handles_requests() and not self._request_is_done():
            if not self._pay():
                return
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                # After a colon h11 quotes the input, which may be a line with a cookie.
                log.debug("bad request: %s", str(error).partition(":")[0])
                self._refuse(error.error_status_hint)
                return
            if event is h11.NEED_DATA:
                self._continue_if_asked()
                return
            if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            self._on_event(event)

    def _take_first(self) -> bool:
        """Answer a plain handshake without h11. Returns False if that has to wait for a later turn."""
        if not self._pay():
            return False
        head = plain_handshake(self._first) if len(self._first) <= self._max_header_bytes else None
        if head is not None:
            self._on_head(b"GET", head.target, head.headers)
        return True

    def _count_unfinished(self) -> None:
        """Limit pipelined bytes, and answer 503 if too much incomplete input is held (L-12)."""
        if not self._handles_requests():
            self._release()
            return
        size = len(self._first) if self._parser is None else len(self._parser.trailing_data[0])
        if size > MAX_PIPELINED_BYTES and self._h11.their_state is h11.DONE:
            self._tcp.pause_reading()
        if self._exchange is not None:
            size += self._exchange.body_bytes
        if size or self._unfinished is not None:
            self._unfinished = self._unfinished or Hold(self._connections.unfinished, self.payer)
            if not self._unfinished.resize(size):
                self._refuse(503)

    def _release(self) -> None:
        if self._unfinished is not None:
            self._unfinished.release()
            self._unfinished = None

    def _pay(self) -> bool:
        """Pay for the next event. Returns False if the event has to wait for a later turn.

        The next read then pauses reading: to pause at once costs 20 µs, even if nothing arrives before that turn.
        With TLS reading is paused at once, because asyncio closes a TLS connection as soon as the peer ends it.
        """
        if self.credit <= 0 and not self._turns.draw(self):
            self._held = True
            if self._secure:
                self._tcp.pause_reading()
            return False
        self.credit -= 1
        return True

    def _handles_requests(self) -> bool:
        """Whether requests are handled now: the connection still speaks HTTP, is open, and its client reads."""
        return self._tcp.get_protocol() is self and not self._tcp.is_closing() and not self._unread

    def _request_is_done(self) -> bool:
        return self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

    def _resume_soon(self) -> None:
        """A request is complete. If the next one is received already, it is handled before more is read."""
        if self._h11.trailing_data[0]:
            self._tcp.pause_reading()
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        if self._handles_requests() and not self._held:
            self._tcp.resume_reading()
            self._advance()

    def _on_event(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._on_request(event)
        elif isinstance(event, h11.Data):
            self._on_data(bytes(event.data))
        elif self._exchange is not None:
            self._timers.cancel(self)
            self._exchange.on_end()
        elif self._h11.our_state is h11.MUST_CLOSE:
            self._tcp.close()
        else:
            self._resume_soon()

    def _on_request(self, event: h11.Request) -> None:
        if _head_bytes(event) > self._max_header_bytes:  # h11 checks only heads that arrive in pieces
            self._refuse(431, bodiless=event.method == b"HEAD")
        else:
            self._on_head(event.method, event.target, by_name(event.headers))

    def _on_head(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes]) -> None:
        self._timers.catch_up()  # may refuse this request, if its deadline has passed
        if not self._handles_requests():
            return
        self._release()  # the head is complete; later bytes may be charged to another payer
        self._discarded = 0
        try:
            request = parse_request(method, target, headers, self._address, secure=self._secure)
        except ValueError:
            self._refuse(400, bodiless=method == b"HEAD")
            return
        self._exchange = Exchange(self, request)
        self._handler(self._exchange)
        self._turns.charge(self, Price.REQUEST)

    def _on_data(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.on_data(data)
            return
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self._tcp.abort()

    def _continue_if_asked(self) -> None:
        if self._h11.they_are_waiting_for_100_continue and self._exchange is not None:
            self._tcp.write(self._h11.send(_CONTINUE) or b"")

    def _refuse(self, status: int, *, bodiless: bool = False) -> None:
        """Refuse the current request, with an answer if that is still possible, and close the connection."""
        if status in _LIMIT_OF:
            why = f"request refused with status {status}"
            self._connections.refusals.add(_LIMIT_OF[status], why, address=self._address)
        if self._exchange is not None:
            bodiless = self._exchange.request.method == "HEAD"
            self._exchange.lost()
            self._exchange = None
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body, headers = self._connections.explain(status)
            closing = [*headers, (b"Connection", b"close"), *_RETRY_AFTER.get(status, ())]
            self._send(status, body, closing, bodiless=bodiless)
        self._release()
        self._timers.cancel(self)
        Linger(self._tcp, self._timers, self._connections)

    def _send(
        self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]], *, bodiless: bool = False
    ) -> None:
        """With `bodiless`, send only the head; its Content-Length is the length of `body`, which is not sent.

        A 304 has no Content-Length: it would have to be that of a 200 to the same request (RFC 9110, section 8.6).
        """
        length = [] if status == 304 else [(b"Content-Length", b"%d" % len(body))]
        head = h11.Response(
            status_code=status,
            headers=[*headers, *length, (b"Date", formatdate(usegmt=True).encode())],
            reason=_PHRASE_OF[status],
        )
        data = [] if bodiless or not body else [h11.Data(data=body)]
        events: list[h11.Event] = [head, *data, h11.EndOfMessage()]
        self._tcp.write(b"".join(self._h11.send(event) or b"" for event in events))


def _head_bytes(request: h11.Request) -> int:
    """The approximate size of a request's head."""
    return len(request.target) + sum(len(name) + len(value) + 4 for name, value in request.headers)
