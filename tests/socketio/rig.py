"""A Socket.IO server without sockets and with a manual clock: its sessions use a transport that records packets.

rig = Rig()
app = rig.namespace("/")              # an App that records the calls of its handlers
peer = rig.peer()                     # an open session
peer.says("0", '2["hello"]')          # Socket.IO messages, without the Engine.IO digit
assert peer.heard() == [...]          # messages received since the last call
rig.pass_seconds(45)
assert peer.closed is CloseReason.FORCED_CLOSE
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import NamedTuple

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.direct import NoDescriptor
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.packet import decode as decode_engine_packet
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Handshake, Session
from chatd.engineio.sid import Sid
from chatd.engineio.turns import Payer, Turns
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Accept, Auth, Namespace
from chatd.socketio.reasons import DisconnectReason
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import EventName, Reply, Socket
from tests.engineio.connections import connections

# Longer than the time that any test lets pass, so that no heartbeat is sent.
ENGINE = EngineConfig(ping_interval_s=3600.0, ping_timeout_s=3600.0)

Message = str | bytes


class Alarm:
    """A scheduled call, which can be cancelled."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def ring(self) -> None:
        if self._call is not None:
            self._call()


class Time:
    """A replacement for the event loop: the test advances the clock and ends each turn."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()
        self._soon: list[Callable[[], None]] = []

    def call_at(self, when: float, call: Callable[[], None]) -> Alarm:
        alarm = Alarm(call)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        return alarm

    def call_soon(self, call: Callable[[], None]) -> None:
        self._soon.append(call)

    def end_turn(self) -> None:
        while self._soon:
            soon, self._soon = self._soon, []
            for call in soon:
                call()

    def pass_seconds(self, seconds: float) -> None:
        end = self.now + seconds
        while self._alarms and self._alarms[0][0] <= end:
            self.now, _, alarm = heapq.heappop(self._alarms)
            alarm.ring()
            self.end_turn()
        self.now = end


class Wire(NoDescriptor):
    """A transport that records packets."""

    queued_bytes = 0
    name = "wire"

    def __init__(self) -> None:
        self.writable = True
        self.payer: Payer = self
        self.credit = 0
        self.max_payload_bytes = 1_000_000
        self.writes: list[Outgoing] = []
        self.closed: CloseReason | None = None
        self.session: Session

    def deliver(self, packets: Outgoing) -> None:
        self.writes.append(packets)

    def close(self, reason: CloseReason) -> None:
        self.closed = reason
        self.session.on_transport_closed(reason)


class Peer:
    """The client's end of one session."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.turns = rig.turns
        self.connections = connections(ENGINE)
        self.wire = Wire()
        self.session = Session(
            Sid(f"session {next(rig.numbers)}"), self, ENGINE, rig.timers, rig.outbox, Handshake("", "", {})
        )
        self.session.transport = self.wire
        self.wire.session = self.session
        self.session.handler = rig.server.accept(self.session)

    def forget(self, session: Session) -> None:
        """Called when the session has ended."""

    def says(self, *messages: Message) -> None:
        for message in messages:
            self.session.on_packet(Packet(PacketType.MESSAGE, message))

    def heard(self) -> list[Message]:
        """End the turn. Returns the messages received since the last call."""
        self._rig.time.end_turn()
        writes, self.wire.writes = self.wire.writes, []
        packets = [packet for write in writes for packet in write.packets]
        return [decode_engine_packet(packet.text.decode()).data for packet in packets]

    def cuts(self) -> None:
        """Lose the connection."""
        self.session.on_transport_closed(CloseReason.TRANSPORT_CLOSE)

    @property
    def closed(self) -> CloseReason | None:
        """Why the server has ended the session, or None."""
        return self.wire.closed


class Connected(NamedTuple):
    """One call of a handler: `on_connect`."""


class Event(NamedTuple):
    name: EventName
    args: list[object]


class Gone(NamedTuple):
    reason: DisconnectReason


class Handler:
    """Records its calls, and then runs the test's callback."""

    def __init__(self, socket: Socket, auth: Auth) -> None:
        self.socket = socket
        self.auth = auth
        self.told: list[Connected | Event | Gone] = []
        self.replies: list[Reply | None] = []
        self.on: dict[str, Callable[[Handler], object]] = {}

    def on_connect(self) -> None:
        self.told.append(Connected())
        self._then("connect")

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        self.told.append(Event(event, args))
        self.replies.append(reply)
        self._then(str(event))

    def on_disconnect(self, reason: DisconnectReason) -> None:
        self.told.append(Gone(reason))
        self._then("disconnect")

    def _then(self, what: str) -> None:
        if what in self.on:
            self.on[what](self)


class App:
    """A namespace and the handlers of its sockets."""

    def __init__(self, rig: Rig, name: str, accept: Accept | None) -> None:
        self.handlers: list[Handler] = []
        self.on: dict[str, Callable[[Handler], object]] = {}
        self.namespace: Namespace = rig.server.namespace(name, accept or self.accept)

    def accept(self, socket: Socket, auth: Auth) -> Handler:
        handler = Handler(socket, auth)
        handler.on = self.on
        self.handlers.append(handler)
        return handler


class Rig:
    """The server, its clock and its clients."""

    def __init__(self, config: SocketIoConfig | None = None) -> None:
        self.time = Time()
        self.timers = Timers(lambda: self.time.now, self.time.call_at)
        self.outbox = Outbox(self.time.call_soon)
        self.turns = Turns(lambda: self.time.now, self.time.call_soon)
        self.server = SocketIoServer(config or SocketIoConfig(), self.timers, self.outbox)
        self.numbers = itertools.count(1)

    def namespace(self, name: str, accept: Accept | None = None) -> App:
        return App(self, name, accept)

    def peer(self) -> Peer:
        return Peer(self)

    def pass_seconds(self, seconds: float) -> None:
        self.time.pass_seconds(seconds)


def joined(rig: Rig, *namespaces: str) -> Peer:
    """A peer that has joined `namespaces`, by default the main one, and has read the answers."""
    peer = rig.peer()
    for name in namespaces or ("/",):
        peer.says(f"0{name},")
    peer.heard()
    return peer
