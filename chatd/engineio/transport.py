"""What a session and its transport expect of each other, whichever transport it is."""

from __future__ import annotations

import enum
from typing import Final, Protocol

from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import Packet
from chatd.engineio.reasons import CloseReason
from chatd.engineio.turns import Payer


class TransportState(enum.Enum):
    """OPEN carries packets; CLOSING says goodbye and takes nothing more; CLOSED is the end."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class PacketReceiver(Protocol):
    """Where a transport's packets go. Calls are synchronous, come from the loop's thread and must not raise."""

    def on_packet(self, packet: Packet) -> None: ...

    def on_transport_closed(self, reason: CloseReason) -> None:
        """The transport is done, for its own reason or after `close`; called exactly once."""


class Discard:
    """The receiver of a transport that is done, or that is not used."""

    def on_packet(self, packet: Packet) -> None: ...

    def on_transport_closed(self, reason: CloseReason) -> None: ...


DISCARD: Final = Discard()


class Transport(Protocol):
    """A way to and from one client. `name` is the query's value."""

    payer: Payer
    """Who pays for what the client causes; with `credit`, see turns.py."""

    credit: int

    max_payload_bytes: int
    """Bytes in one message or request: few until the session is trusted."""

    @property
    def name(self) -> str: ...

    @property
    def writable(self) -> bool:
        """Whether a packet would leave at once; volatile ones are dropped when it would not."""

    @property
    def queued_bytes(self) -> int:
        """What waits in this process for the client to read it."""

    @property
    def fd(self) -> int:
        """See direct.py."""

    def deliver(self, packets: Outgoing) -> None:
        """Take `packets`, in order. Never blocks, never raises, and calls no receiver before the next turn: a
        session that ended in the middle of a broadcast could end others, with what waits for them. Does nothing unless
        the transport is open.
        """

    def deliver_rest(self, packets: Outgoing, sent_bytes: int) -> None:
        """See direct.py."""

    def close(self, reason: CloseReason) -> None:
        """Say goodbye, each transport in its way. Idempotent."""
