"""The interface between a session and its transport, for both transports."""

from __future__ import annotations

import enum
from typing import Final, Protocol

from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import Packet
from chatd.engineio.reasons import CloseReason
from chatd.engineio.turns import Payer


class TransportState(enum.Enum):
    """OPEN: packets are sent and received. CLOSING: the last packets leave, and no more are accepted. CLOSED: ended."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class PacketReceiver(Protocol):
    """Receives a transport's packets. Calls are synchronous, come from the event loop's thread and must not raise."""

    def on_packet(self, packet: Packet) -> None: ...

    def on_transport_closed(self, reason: CloseReason) -> None:
        """The transport has ended, by itself or after `close`; called exactly once."""


class Discard:
    """The receiver of a transport that has ended or is not used."""

    def on_packet(self, packet: Packet) -> None: ...

    def on_transport_closed(self, reason: CloseReason) -> None: ...


DISCARD: Final = Discard()


class Transport(Protocol):
    """The connection of one session to its client. `name` is the value of `transport` in the query."""

    payer: Payer
    """The account that the client's work is charged to; see turns.py, also for `credit`."""

    credit: int

    max_payload_bytes: int
    """The greatest size of one message or request; smaller until `Session.trust`."""

    @property
    def name(self) -> str: ...

    @property
    def writable(self) -> bool:
        """Whether a packet would be sent at once; if not, volatile packets are dropped."""

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait in this process for the client to read them."""

    @property
    def fd(self) -> int:
        """See direct.py."""

    def deliver(self, packets: Outgoing) -> None:
        """Send or queue `packets`, in order. Does nothing unless the transport is open. Never blocks, never raises.

        Never calls its receiver in the same turn: a session that ends during a broadcast could end other sessions, and
        their queued packets would be lost.
        """

    def deliver_rest(self, packets: Outgoing, sent_bytes: int) -> None:
        """See direct.py."""

    def close(self, reason: CloseReason) -> None:
        """End the transport in the way that `reason` needs. Idempotent."""
