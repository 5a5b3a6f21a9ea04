"""The HTTP long-polling transport: GETs take packets from a queue, POSTs bring packets.

A session may have one GET and one POST at a time. A second one ends the session, as in the reference, because the order
of packets would be lost. Rules E-30 to E-36 of protocol.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final

from chatd.base.refusals import Refusals
from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig, untrusted_payload_bytes
from chatd.engineio.direct import NoDescriptor
from chatd.engineio.exchange import Exchange
from chatd.engineio.limits import Limit
from chatd.engineio.outgoing import CLOSE, NOOP, Outgoing, OutgoingBatch, OutgoingPacket
from chatd.engineio.packet import EnginePacketError, Packet
from chatd.engineio.payload import MAX_PACKETS_PER_POLL, TooManyPacketsError, decode_payload, encode_payload
from chatd.engineio.reasons import CloseReason
from chatd.engineio.transport import DISCARD, PacketReceiver, TransportState
from chatd.engineio.turns import Payer, Turns

# How long the last packet waits for the next poll of a client.
CLOSE_TIMEOUT_S: Final = 30.0

# During an upgrade the client waits for its poll to end. The delay keeps a stuck client from polling in a tight loop.
RELEASE_S: Final = 0.02

_CLIENT_RECONNECTS: Final = frozenset({CloseReason.RECONNECT, CloseReason.SERVER_SHUTTING_DOWN})
_WAITS_FOR_NEXT_POLL: Final = _CLIENT_RECONNECTS | {CloseReason.FORCED_CLOSE}
_ENDS_WITH_NOOP: Final = _CLIENT_RECONNECTS | {CloseReason.TRANSPORT_CLOSE}

_TEXT: Final = (b"Content-Type", b"text/plain; charset=UTF-8")
_HTML: Final = (b"Content-Type", b"text/html")
_NO_STORE: Final = (b"cache-control", b"no-store")


class PollingTransport(NoDescriptor):
    """The polling side of one session."""

    __slots__ = (
        "_config", "_get", "_held", "_post", "_queue", "_queued_bytes", "_refusals", "_state", "_timers", "_turns",
        "_upgrading", "credit", "due_tick", "max_payload_bytes", "payer", "receiver",
    )  # fmt: skip

    name: Final = "polling"

    def __init__(
        self, timers: Timers, config: EngineConfig, refusals: Refusals[Limit], turns: Turns, payer: Payer
    ) -> None:
        self.due_tick = 0
        self._timers = timers
        self._turns = turns
        self.payer = payer
        self.credit = 0
        self.max_payload_bytes = untrusted_payload_bytes(config)
        self._held: Iterator[Packet] | None = None  # packets of the current POST that wait for a later turn
        self._config = config
        self._refusals = refusals
        self._queue: deque[OutgoingPacket] = deque()
        self._queued_bytes = 0
        self._get: Exchange | None = None
        self._post: Exchange | None = None
        self._state = TransportState.OPEN
        self._upgrading = False
        self.receiver: PacketReceiver

    # What the session calls.

    @property
    def writable(self) -> bool:
        """Whether a packet would be sent at once, because a GET is waiting."""
        return self._state is TransportState.OPEN and self._get is not None

    @property
    def queued_bytes(self) -> int:
        return self._queued_bytes

    def deliver(self, packets: Outgoing) -> None:
        """Queue `packets` and answer the waiting GET. Over `max_queued_bytes` the session ends, in a later turn."""
        if self._state is not TransportState.OPEN:
            return
        self._enqueue(packets)
        self._answer_get()
        if self._queued_bytes > self._config.max_queued_bytes:
            asyncio.get_running_loop().call_soon(self._on_slow)

    def close(self, reason: CloseReason) -> None:
        """Answer the waiting GET with the last packet; some reasons keep it for the next GET if none is waiting.

        The last packet is a NOOP if the client closed by itself, or should reconnect: python-socketio's client does not
        reconnect after a CLOSE packet.
        """
        if self._state is not TransportState.OPEN:
            return
        self._state = TransportState.CLOSING
        if self._get is not None or reason in _WAITS_FOR_NEXT_POLL:
            self._enqueue(NOOP if reason in _ENDS_WITH_NOOP else CLOSE)
        if self._get is not None:
            self._answer_get()
        elif self._queue and reason in _WAITS_FOR_NEXT_POLL:
            self._timers.arm(self, CLOSE_TIMEOUT_S)
        else:
            self._become_closed(reason)

    def begin_upgrade(self) -> None:
        """A WebSocket is being probed: answer every GET from now on, because the client switches only between polls."""
        self._upgrading = True
        self._release_get()

    def end_upgrade(self) -> None:
        """The probe has failed: the client keeps polling."""
        self._upgrading = False

    def retire(self) -> Outgoing:
        """The session moves to its WebSocket: answer the waiting GET, and return the queued packets."""
        waiting = OutgoingBatch(list(self._queue))
        self._queue.clear()
        self._release_get()
        self._state = TransportState.CLOSED
        self._timers.cancel(self)
        return waiting

    # What the server calls.

    def on_get(self, exchange: Exchange) -> None:
        """A poll: answered as soon as a packet is queued."""
        if self._get is not None:
            self._refuse_overlap(exchange)
            return
        self._get = exchange
        exchange.on_lost = self._on_get_lost
        self._answer_get()
        if self._upgrading and self._get is not None:
            self._timers.arm(self, RELEASE_S)

    def on_post(self, exchange: Exchange) -> None:
        """A payload from the client."""
        if self._post is not None:
            self._refuse_overlap(exchange)
            return
        if exchange.request.header(b"content-type") == "application/octet-stream":
            exchange.respond(400)
            self._end(CloseReason.TRANSPORT_ERROR)
            return
        self._post = exchange
        exchange.on_lost = self._on_post_lost
        exchange.receive(
            self.max_payload_bytes,
            lambda body: self._on_post_body(exchange, body),
            lambda: self._on_post_too_long(exchange),
        )

    def on_deadline(self) -> None:
        """A GET has waited for RELEASE_S during an upgrade, or the client did not fetch the last packet in time."""
        if self._state is TransportState.OPEN:
            self._release_get()
        else:
            self._become_closed(CloseReason.TRANSPORT_CLOSE)

    # What turns call.

    def on_turn(self) -> None:
        """Handle the held packets of the current POST, unless it was dropped meanwhile."""
        packets, exchange = self._held, self._post
        self._held = self._post = None
        if packets is not None and exchange is not None:
            self._handle(exchange, packets)

    # Internals.

    def _on_slow(self) -> None:
        if self._state is TransportState.OPEN and self._queued_bytes > self._config.max_queued_bytes:
            self._refusals.add(Limit.MAX_QUEUED, "session closed: too much waits for a client that does not poll")
            self._end(CloseReason.SLOW_CONSUMER)

    def _on_post_body(self, exchange: Exchange, body: bytes) -> None:
        self._post = None
        try:
            packets = decode_payload(body, max_packets=self._config.max_packets)
        except EnginePacketError as error:
            if isinstance(error, TooManyPacketsError):
                address = exchange.request.address
                self._refusals.add(Limit.MAX_PACKETS, f"session closed: {error}", address=address)
            self._end_post(exchange, CloseReason.PARSE_ERROR)
        else:
            self._handle_or_hold(exchange, packets)

    def _handle_or_hold(self, exchange: Exchange, packets: Iterator[Packet]) -> None:
        if self.credit > 0 or self._turns.draw(self):
            self._handle(exchange, packets)
        else:
            self._hold(exchange, packets)

    def _hold(self, exchange: Exchange, packets: Iterator[Packet]) -> None:
        self._held, self._post = packets, exchange

    def _handle(self, exchange: Exchange, packets: Iterator[Packet]) -> None:
        """Pass on the packets of a POST as far as the credit goes, then answer it. Also after a switch to WebSocket."""
        try:
            for packet in packets:
                started = self._turns.start()
                self.receiver.on_packet(packet)
                self._turns.finish(self, started)
                self.credit -= 1
                if self.credit <= 0 and not self._turns.draw(self):
                    self._hold(exchange, packets)
                    return
        except EnginePacketError:
            self._end_post(exchange, CloseReason.PARSE_ERROR)
        else:
            self._end_post(exchange)

    def _end_post(self, exchange: Exchange, fault: CloseReason | None = None) -> None:
        exchange.respond(200, b"ok", [_HTML, _NO_STORE])
        if fault is not None:
            self._end(fault)

    def _on_post_too_long(self, exchange: Exchange) -> None:
        self._post = None
        self._refusals.add(Limit.MAX_PAYLOAD, "request refused with status 413", address=exchange.request.address)
        exchange.respond(413)

    def _on_get_lost(self) -> None:
        self._get = None
        self._end(CloseReason.TRANSPORT_ERROR)

    def _on_post_lost(self) -> None:
        self._post = None
        self._end(CloseReason.TRANSPORT_ERROR)

    def _refuse_overlap(self, second: Exchange) -> None:
        second.respond(400)
        self._end(CloseReason.TRANSPORT_ERROR)

    def _release_get(self) -> None:
        """Answer the waiting GET with the queued packets, or with a NOOP."""
        if self._get is not None and not self._queue:
            self._enqueue(NOOP)
        self._answer_get()

    def _enqueue(self, packets: Outgoing) -> None:
        for packet in packets.packets:
            self._queue.append(packet)
            self._queued_bytes += len(packet.frame)

    def _answer_get(self) -> None:
        """Answer the waiting GET with the queued packets, if there are any. Not compressed: rule E-51."""
        if self._get is None or not self._queue:
            return
        exchange, self._get = self._get, None
        packets = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_PACKETS_PER_POLL))]
        self._queued_bytes -= sum(len(packet.frame) for packet in packets)
        body = encode_payload(packet.text for packet in packets)
        exchange.respond(200, body, [_TEXT, _NO_STORE])
        if self._state is TransportState.CLOSING and not self._queue:
            self._become_closed(CloseReason.TRANSPORT_CLOSE)

    def _end(self, reason: CloseReason) -> None:
        """The transport failed: release pending requests and tell the session."""
        if self._state is TransportState.CLOSED:
            return
        if self._get is not None:
            self._enqueue(CLOSE)
            self._answer_get()
        if self._post is not None:
            self._post.drop()
            self._post = None
        self._become_closed(reason)

    def _become_closed(self, reason: CloseReason) -> None:
        if self._state is not TransportState.CLOSED:
            self._state = TransportState.CLOSED
            self._timers.cancel(self)
            self.receiver.on_transport_closed(reason)
            self.receiver = DISCARD  # breaks a reference cycle (see Session); the rest of a POST may still arrive
