"""The WebSocket transport: the asyncio protocol of a connection after its handshake.

It passes packets to a `PacketReceiver`: a session, or an upgrade that is being probed. There is no task, queue or timer
per connection.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import logging
import struct
from collections.abc import Iterator, Mapping
from typing import Final, cast

from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode, Opcode

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig, untrusted_payload_bytes
from chatd.engineio.connections import Connections
from chatd.engineio.direct import NO_FD, write_now
from chatd.engineio.limits import Limit
from chatd.engineio.linger import Linger
from chatd.engineio.outgoing import Outgoing, websocket_frame
from chatd.engineio.packet import EnginePacketError, decode
from chatd.engineio.reader import Message, MessageReader, WebSocketError
from chatd.engineio.reasons import CloseReason
from chatd.engineio.transport import DISCARD, PacketReceiver, TransportState
from chatd.engineio.turns import BYTES_SHIFT, TIMED_BYTES, Payer, Turns
from chatd.engineio.unfinished import Hold

# How long a peer may take to answer a close frame before the connection is aborted.
CLOSE_TIMEOUT_S: Final = 5.0


class ClosingMethod(enum.Enum):
    """How the server ends a WebSocket.

    CLOSE_FRAME: the closing handshake of RFC 6455, section 7.1; some clients do not reconnect after it. END_OF_STREAM:
    a TCP FIN after the written data, as when a network or a server fails; every tested client reconnects. CUT: abort,
    which drops the data that waits for the client.
    """

    CLOSE_FRAME = "close frame"
    END_OF_STREAM = "end of stream"
    CUT = "cut"


CLOSING_METHOD_OF: Final[Mapping[CloseReason, ClosingMethod]] = {
    CloseReason.TRANSPORT_CLOSE: ClosingMethod.CLOSE_FRAME,
    CloseReason.TRANSPORT_ERROR: ClosingMethod.CLOSE_FRAME,
    CloseReason.PARSE_ERROR: ClosingMethod.CLOSE_FRAME,
    CloseReason.FORCED_CLOSE: ClosingMethod.CLOSE_FRAME,
    CloseReason.PING_TIMEOUT: ClosingMethod.END_OF_STREAM,
    CloseReason.RECONNECT: ClosingMethod.END_OF_STREAM,
    CloseReason.SERVER_SHUTTING_DOWN: ClosingMethod.END_OF_STREAM,
    CloseReason.SLOW_CONSUMER: ClosingMethod.CUT,
}
"""Rule E-50: if the client should reconnect, it gets no close frame."""

_LIMIT_OF: Final = {
    CloseCode.MESSAGE_TOO_BIG: Limit.MAX_PAYLOAD,
    CloseCode.POLICY_VIOLATION: Limit.FRAGMENTS,
}

# Constants for the path of every message: `Opcode.TEXT` takes 0.19 µs on Python 3.11, a module constant 0.04.
_TEXT: Final = Opcode.TEXT
_BINARY: Final = Opcode.BINARY
_OPEN: Final = TransportState.OPEN
_CLOSED: Final = TransportState.CLOSED

log = logging.getLogger("chatd.engineio")


class WebSocketTransport(asyncio.Protocol):
    """One open WebSocket connection."""

    __slots__ = (
        "_binary_as_text", "_connections", "_held", "_max_queued_bytes", "_own_fd", "_reader", "_state", "_tcp",
        "_timers", "_turns", "_unfinished", "credit", "due_tick", "fd", "payer", "receiver",
    )  # fmt: skip

    name: Final = "websocket"

    def __init__(
        self,
        timers: Timers,
        connections: Connections,
        config: EngineConfig,
        turns: Turns,
        payer: Payer,
        *,
        binary_as_text: bool,
    ) -> None:
        self.due_tick = 0
        self._timers = timers
        self._connections = connections
        self._turns = turns
        self.payer = payer
        self.credit = 0
        self._held: Iterator[Message] | None = None  # messages for a later turn of the payer; reading is paused
        self._max_queued_bytes = config.max_queued_bytes
        self._reader = MessageReader(untrusted_payload_bytes(config))
        self._unfinished: Hold | None = None
        self._binary_as_text = binary_as_text
        self._state = TransportState.OPEN
        self._tcp: asyncio.Transport
        self._own_fd = NO_FD
        self.fd = NO_FD
        self.receiver: PacketReceiver

    # What the session calls.

    @property
    def writable(self) -> bool:
        """Whether a packet would be sent at once; if not, volatile packets are dropped."""
        return self._state is _OPEN and not self._tcp.get_write_buffer_size()

    @property
    def queued_bytes(self) -> int:
        return self._tcp.get_write_buffer_size()

    @property
    def max_payload_bytes(self) -> int:
        return self._reader.max_bytes

    @max_payload_bytes.setter
    def max_payload_bytes(self, max_bytes: int) -> None:
        self._reader.max_bytes = max_bytes

    def deliver(self, packets: Outgoing) -> None:
        """Write `packets`. Does nothing once the transport is closing."""
        if self.fd != NO_FD:
            self.deliver_rest(packets, write_now(self.fd, packets.frame))
        elif self._state is _OPEN:
            self._write(packets.text_frame if self._binary_as_text else packets.frame)

    def deliver_rest(self, packets: Outgoing, sent_bytes: int) -> None:
        """Write the rest of the frame through the asyncio transport, which also handles errors."""
        if sent_bytes != len(packets.frame):
            self._write(packets.frame[sent_bytes:])

    def close(self, reason: CloseReason) -> None:
        """End the WebSocket as CLOSING_METHOD_OF says. As in the reference, a close frame has a code only if the peer
        broke a rule.

        Except for CUT, the connection stays open until the peer closes too: a reset could destroy unread data.
        """
        match CLOSING_METHOD_OF[reason]:
            case ClosingMethod.CUT:
                self._abort(reason)
            case ClosingMethod.END_OF_STREAM:
                self._end_stream(reason)
            case ClosingMethod.CLOSE_FRAME:
                self._close(b"", reason)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = cast(asyncio.Transport, transport)
        self._tcp.set_write_buffer_limits(high=self._max_queued_bytes)  # beyond it: `pause_writing`
        if transport.get_extra_info("sslcontext") is None and not self._binary_as_text:
            self._own_fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        if self._state is _CLOSED:
            return
        self._connections.received_bytes += len(data)
        self.credit -= len(data) >> BYTES_SHIFT
        messages = self._reader.feed(data)
        if self._held is not None:
            self._held = itertools.chain(self._held, messages)
            self._tcp.pause_reading()
            return
        # Credit drawn for short messages must not pay for long ones, because many connections may hold such credit.
        is_short = len(data) < TIMED_BYTES and self._unfinished is None
        if (is_short and self.credit > 0) or self._turns.draw(self):
            self._handle(messages)
        else:
            self._keep(messages)

    def eof_received(self) -> bool:
        """The peer will send no more. Held messages are handled first; False lets asyncio close the connection.

        When reading resumes, asyncio reports the end of the stream again.
        """
        if self._held is None:
            return False
        self._tcp.pause_reading()
        return True

    def pause_writing(self) -> None:
        """More than `max_queued_bytes` wait in the transport's buffer: the peer does not read.

        The session ends in the next turn, because `deliver` must not call the receiver.
        """
        asyncio.get_running_loop().call_soon(self._on_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._tcp)
        self._timers.cancel(self)
        self._become_closed(CloseReason.TRANSPORT_CLOSE if exc is None else CloseReason.TRANSPORT_ERROR)

    def on_deadline(self) -> None:
        """The peer did not answer the close frame in time."""
        self._tcp.abort()

    # What turns call.

    def on_turn(self) -> None:
        """Handle the held messages, unless the connection has ended meanwhile."""
        messages, self._held = self._held, None
        if messages is not None and self._handle(messages) and self._state is not _CLOSED:
            self._tcp.resume_reading()

    # Internals.

    def _handle(self, messages: Iterator[Message]) -> bool:
        """Handle `messages` as far as the credit goes, and hold the rest. Returns whether nothing is held."""
        ping: bytes | None = None
        try:
            for opcode, payload in messages:
                if opcode is _TEXT or opcode is _BINARY:
                    (self._on_message if len(payload) < TIMED_BYTES else self._on_long_message)(payload)
                elif opcode is Opcode.PING:
                    ping = cast(bytes, payload)
                elif opcode is Opcode.CLOSE:
                    self._on_close(cast(bytes, payload))
                self.credit = credit = self.credit - 1
                if credit <= 0 and not self._turns.draw(self):
                    self._keep(messages)
                    break
        except WebSocketError as error:
            log.debug("websocket refused: %s", error)
            if error.code in _LIMIT_OF:
                self._connections.refusals.add(_LIMIT_OF[error.code], f"session closed: {error}")
            self._fail(error.code)
        if self._reader.unfinished_bytes or self._unfinished is not None:
            self._count_unfinished()
        # Answer only the last ping of a read (RFC 6455, section 5.5.3); one read may bring thousands.
        if ping is not None and self._state is _OPEN:
            self._write(websocket_frame(Opcode.PONG, ping))
        return self._held is None

    def _count_unfinished(self) -> None:
        """Rule L-12: close with 1013 (try again later) if too much input is incomplete."""
        if self._state is _CLOSED:
            return
        size = self._reader.unfinished_bytes
        hold = self._unfinished or Hold(self._connections.unfinished, self.payer)
        self._unfinished = hold if size else None
        if not hold.resize(size):
            self._fail(CloseCode.TRY_AGAIN_LATER)

    def _keep(self, messages: Iterator[Message]) -> None:
        """Hold `messages` for a later turn. An earlier read pauses reading: pause and resume take 10 µs.

        With TLS reading is paused at once, because asyncio closes a TLS connection whose peer has ended.
        """
        if self._state is not _CLOSED:
            self._held = messages
            if self._own_fd == NO_FD:
                self._tcp.pause_reading()

    def _on_slow(self) -> None:
        if self._state is _OPEN:
            why = "session closed: too much waits for a client that does not read"
            self._connections.refusals.add(Limit.MAX_QUEUED, why)
        self._abort(CloseReason.SLOW_CONSUMER)

    def _write(self, data: bytes) -> None:
        """Write through the asyncio transport. While its buffer is not empty, `fd` is not used, to keep the order."""
        self._tcp.write(data)
        self.fd = NO_FD if self._tcp.get_write_buffer_size() else self._own_fd

    def _leave(self, state: TransportState) -> None:
        """Leave the state OPEN. The descriptor must not be used any more: it may soon belong to another connection."""
        self._state = state
        self.fd = NO_FD

    def _on_long_message(self, message: str | bytes) -> None:
        started = self._turns.start()
        self._on_message(message)
        self._turns.finish(self, started)

    def _on_message(self, message: str | bytes) -> None:
        if self._state is not _OPEN:
            return
        try:
            packet = decode(message)
        except EnginePacketError as error:
            log.debug("packet refused: %s", error)
            self._close(b"", CloseReason.PARSE_ERROR)
        else:
            self.receiver.on_packet(packet)

    def _on_close(self, payload: bytes) -> None:
        _check_close(payload)
        self._close(payload[:2], CloseReason.TRANSPORT_CLOSE)
        self._tcp.close()

    def _fail(self, code: CloseCode) -> None:
        """The peer's frames are invalid: send a close frame with `code`, and stop reading."""
        if self._state is _OPEN:
            self._tcp.write(websocket_frame(Opcode.CLOSE, struct.pack("!H", code)))
        self._timers.cancel(self)
        Linger(self._tcp, self._timers, self._connections)
        self._become_closed(CloseReason.TRANSPORT_ERROR)

    def _end_stream(self, reason: CloseReason) -> None:
        if self._state is _OPEN:
            Linger(self._tcp, self._timers, self._connections)
            self._become_closed(reason)

    def _close(self, payload: bytes, reason: CloseReason) -> None:
        if self._state is not _OPEN:
            return
        self._leave(TransportState.CLOSING)
        self._tcp.write(websocket_frame(Opcode.CLOSE, payload))
        self._timers.arm(self, CLOSE_TIMEOUT_S)
        self.receiver.on_transport_closed(reason)
        self.receiver = DISCARD  # breaks a reference cycle, see Session

    def _abort(self, reason: CloseReason) -> None:
        self._tcp.abort()
        self._become_closed(reason)

    def _become_closed(self, reason: CloseReason) -> None:
        was = self._state
        self._held = None
        if self._unfinished is not None:
            self._unfinished.release()
            self._unfinished = None
        self._leave(TransportState.CLOSED)
        if was is _OPEN:
            self.receiver.on_transport_closed(reason)
            self.receiver = DISCARD  # breaks a reference cycle, see Session


def _check_close(payload: bytes) -> None:
    """Raises WebSocketError if `payload` is not a code and a reason (RFC 6455, section 5.5.1)."""
    try:
        Close.parse(payload)
    except ProtocolError as error:
        raise WebSocketError(CloseCode.PROTOCOL_ERROR, str(error)) from error
    except UnicodeDecodeError as error:
        raise WebSocketError(CloseCode.INVALID_DATA, "the reason of a close is not UTF-8") from error
