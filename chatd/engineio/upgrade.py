"""The upgrade of a polling session to WebSocket: the probe, and the moment of the switch.

    client                  server
    2probe  ------------>
            <------------  3probe       and the waiting poll is answered
    5       ------------>               the session moves; queued packets follow on the WebSocket

Any other packet closes only the WebSocket: polling goes on, and the client may try again.
Rules E-40 to E-44 of protocol.md; https://github.com/socketio/engine.io-protocol#upgrade
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from chatd.base.timers import Timers
from chatd.engineio.outgoing import PROBE_PONG
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.polling import PollingTransport
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Session, State
from chatd.engineio.websocket import WebSocketTransport


class Probe(enum.Enum):
    """WAITING: the probe may still succeed. ENDED: the upgrade has succeeded or failed."""

    WAITING, ENDED = "waiting", "ended"


class Upgrade:
    """One attempt to upgrade. Receives the packets of the WebSocket until the switch."""

    __slots__ = ("_on_end", "_polling", "_probe", "_session", "_timers", "_websocket", "due_tick")

    def __init__(
        self,
        session: Session,
        polling: PollingTransport,
        websocket: WebSocketTransport,
        timers: Timers,
        timeout_s: float,
        on_end: Callable[[Session], None],
    ) -> None:
        self.due_tick = 0
        self._session = session
        self._polling = polling
        self._websocket = websocket
        self._timers = timers
        self._on_end = on_end
        self._probe = Probe.WAITING
        websocket.receiver = self
        timers.arm(self, timeout_s)

    def on_packet(self, packet: Packet) -> None:
        if packet == Packet(PacketType.PING, "probe"):
            self._polling.begin_upgrade()
            self._websocket.deliver(PROBE_PONG)
        elif packet.type is PacketType.UPGRADE:
            self._switch()
        else:
            self._websocket.close(CloseReason.PARSE_ERROR)

    def on_transport_closed(self, reason: CloseReason) -> None:
        """The WebSocket has closed before the switch."""
        self._end()
        self._polling.end_upgrade()

    def on_deadline(self) -> None:
        self._websocket.close(CloseReason.FORCED_CLOSE)

    def cancel(self) -> None:
        """The session has ended: close the WebSocket."""
        if self._probe is Probe.WAITING:
            self._websocket.close(CloseReason.FORCED_CLOSE)

    def _switch(self) -> None:
        self._end()
        self._websocket.receiver = self._session
        self._websocket.payer = self._polling.payer
        self._websocket.max_payload_bytes = self._polling.max_payload_bytes
        self._session.transport = self._websocket
        self._websocket.deliver(self._polling.retire())
        if self._session.state is not State.OPEN:  # the session closed meanwhile, and the client does not know
            self._websocket.close(CloseReason.FORCED_CLOSE)

    def _end(self) -> None:
        self._probe = Probe.ENDED
        self._timers.cancel(self)
        self._on_end(self._session)
