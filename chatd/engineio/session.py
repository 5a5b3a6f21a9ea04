"""One Engine.IO session: heartbeat, the packets that may come while it is open, and its one way out.

A session outlives its first transport when that is upgraded (upgrade.py). Rules E-20 to E-29 of protocol.md.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
from collections.abc import Mapping
from typing import Final, Protocol

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import PING, Outgoing, OutgoingBinary, OutgoingText
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.reasons import CloseReason
from chatd.engineio.sid import Sid, logged_sid
from chatd.engineio.transport import Transport
from chatd.engineio.turns import Payer, Turns
from chatd.engineio.unfinished import Hold

log = logging.getLogger("chatd.engineio")


class SessionHandler(Protocol):
    """What the floor above does with a session. Calls are synchronous, come from the loop's thread, must not raise."""

    def on_message(self, data: str | bytes) -> None: ...

    def on_close(self, reason: CloseReason) -> None:
        """The session takes nothing more; called exactly once."""


class Ended:
    """The handler of a session that has ended."""

    def on_message(self, data: str | bytes) -> None: ...

    def on_close(self, reason: CloseReason) -> None: ...


ENDED: Final = Ended()


class SessionOwner(Protocol):
    """Who keeps the table of sessions."""

    @property
    def turns(self) -> Turns: ...

    @property
    def connections(self) -> Connections: ...

    def forget(self, session: Session) -> None: ...


class State(enum.Enum):
    """CLOSING: the handler has been told, and the transport is closing."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.OPEN: frozenset({State.CLOSING}),
    State.CLOSING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}


class Heartbeat(enum.Enum):
    """QUIET: the next ping is due. AWAITING: a pong is. EXTENDED: so it is, and other data has bought it time once."""

    QUIET = "quiet"
    AWAITING = "awaiting"
    EXTENDED = "extended"


# Names of the module, for the way of every message: Python 3.11 takes 0.19 µs for `State.OPEN`, 0.04 for these.
_OPEN: Final = State.OPEN
_MESSAGE: Final = PacketType.MESSAGE
_AWAITING: Final = Heartbeat.AWAITING


@dataclasses.dataclass(slots=True)
class Handshake:
    """What is kept of the request that opened a session; the rest of its headers is let go."""

    address: str
    query_string: str
    headers: dict[bytes, str]


class Session:
    """One client, from its handshake to its end."""

    __slots__ = (
        "_config", "_heartbeat", "_outbox", "_owner", "_timers", "due_tick", "handler", "handshake", "sid", "state",
        "transport",
    )  # fmt: skip

    def __init__(
        self, sid: Sid, owner: SessionOwner, config: EngineConfig, timers: Timers, outbox: Outbox, handshake: Handshake
    ) -> None:
        self.due_tick = 0
        self.sid = sid
        self.state = State.OPEN
        self.handshake = handshake
        self._owner = owner
        self._config = config
        self._timers = timers
        self._outbox = outbox
        self._heartbeat = Heartbeat.QUIET
        self.transport: Transport
        self.handler: SessionHandler
        timers.arm(self, config.ping_interval_s)

    # What the floor above calls.

    def send(self, data: str | bytes) -> None:
        """Send a message; it leaves at the end of the loop's turn. Does nothing once the session is closing."""
        self.send_packet(OutgoingBinary(data) if isinstance(data, bytes) else OutgoingText(b"4" + data.encode()))

    def send_packet(self, packet: Outgoing) -> None:
        """Send a packet that is encoded already."""
        if self.state is _OPEN:
            self._outbox.send(self, packet)

    def charge(self, price: int) -> None:
        """Let this client's payer pay for work that a packet of it causes, in the units of turns.py."""
        self._owner.turns.charge(self.transport, price)

    def trust(self) -> None:
        """The client is authenticated, or need not be: from now on it may send messages of the full size."""
        self.transport.max_payload_bytes = self._config.max_payload_bytes

    def hold(self) -> Hold:
        """For input of this client that the floor above keeps because its end has not come."""
        return Hold(self._owner.connections.unfinished, self.transport.payer)

    def pay_as(self, payer: Payer) -> None:
        """From now on `payer` pays, in the place of the client's address."""
        self.transport.payer = payer

    @property
    def logged_sid(self) -> str:
        """The session's name in logs."""
        return logged_sid(self.sid)

    @property
    def writable(self) -> bool:
        """Whether a message would leave at once."""
        return self.state is _OPEN and self.transport.writable

    @property
    def queued_bytes(self) -> int:
        """What waits for the client to read it, without what this turn has sent."""
        return self.transport.queued_bytes

    def close(self, reason: CloseReason) -> None:
        """End the session: the only way out. What was sent before still leaves. Idempotent, legal in every state."""
        if self.state is _OPEN:
            self._outbox.flush_one(self)
            self._begin_close(reason)
            self.transport.close(reason)

    # What the transport calls.

    def on_packet(self, packet: Packet) -> None:
        if self.state is not _OPEN:
            return
        if packet.type is _MESSAGE:
            self._extend_heartbeat()
            self.handler.on_message(packet.data)
        elif packet.type is PacketType.PONG:
            self._on_pong()
        elif packet.type is PacketType.CLOSE:
            self.close(CloseReason.TRANSPORT_CLOSE)
        elif packet.type is PacketType.PING:
            self.close(CloseReason.TRANSPORT_ERROR)  # the server pings, never the client

    def on_transport_closed(self, reason: CloseReason) -> None:
        if self.state is _OPEN:
            self._begin_close(reason)
        self._become(State.CLOSED)
        self._owner.forget(self)

    def on_deadline(self) -> None:
        if self._heartbeat is Heartbeat.QUIET:
            self._heartbeat = Heartbeat.AWAITING
            self._timers.arm(self, self._config.ping_timeout_s)
            self.send_packet(PING)
        else:
            self.close(CloseReason.PING_TIMEOUT)

    # The inside.

    def _on_pong(self) -> None:
        """Rule E-22: an unsolicited pong changes nothing."""
        if self._heartbeat is not Heartbeat.QUIET:
            self._heartbeat = Heartbeat.QUIET
            self._timers.arm(self, self._config.ping_interval_s)

    def _extend_heartbeat(self) -> None:
        """Rule E-23: data shows that a client lives whose pong is late behind it, once for each ping."""
        if self._heartbeat is _AWAITING:
            self._heartbeat = Heartbeat.EXTENDED
            self._timers.arm(self, self._config.ping_timeout_s)

    def _begin_close(self, reason: CloseReason) -> None:
        self._become(State.CLOSING)
        self._timers.cancel(self)
        if log.isEnabledFor(logging.INFO):
            log.info(
                "session closed",
                extra={"sid": self.logged_sid, "reason": reason.value, "transport": self.transport.name},
            )
        handler = self.handler
        self.handler = ENDED  # the two hold each other: without this, memory would wait for the garbage collector
        handler.on_close(reason)

    def _become(self, new: State) -> None:
        if new not in NEXT[self.state]:
            raise AssertionError(f"{self.logged_sid}: {self.state.name} -> {new.name}")
        self.state = new
