"""Events of Node.js nodes and of @socket.io/redis-emitter go to the sockets here. Rules N-31, N-33 to N-35."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chatd.chat.neighbours.roster import Roster
from chatd.cluster.adapter import frames
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.frames import Options, Packet
from chatd.cluster.adapter.values import Bounds, Cleaner
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import MAIN_NAMESPACE, PacketType, encode, is_event_name

_EVENT: Final = PacketType.EVENT


class Taker:
    """`position` is that of a socket that has everything, where sockets are recovered; None where they are not."""

    def __init__(
        self, namespace: Namespace, roster: Roster, bounds: Bounds, position: Callable[[], str] | None
    ) -> None:
        self.taken = 0  # events that went to sockets
        self._namespace = namespace
        self._roster = roster
        self._bounds = bounds
        self._position = position

    def take(self, room: str, data: bytes) -> None:
        """A broadcast; `room` is the one in its channel, if any. Raises ForeignError."""
        self.check_size(data)
        if room and not self._roster.has(room):
            return
        broadcast = frames.decode_broadcast(data)
        if broadcast is not None:
            self._deliver(broadcast.packet, broadcast.options)

    def check_size(self, data: bytes) -> None:
        """Raises ForeignError."""
        if len(data) > self._bounds.max_bytes:
            raise ForeignError(Fault.MAX_PAYLOAD, f"it has more than {self._bounds.max_bytes} bytes")

    def packet_for_acknowledgement(self, packet: Packet, ack_id: int) -> Outgoing:
        """The event of a request. Clients put a function behind its arguments, so none is taken for an offset."""
        return self._encode(self._arguments(packet), ack_id)

    def _deliver(self, packet: Packet, options: Options) -> None:
        rooms = options.rooms
        if options.exclude or options.is_volatile or not rooms or any(map(self._roster.is_socket, rooms)):
            self._send_each(packet, options)
        elif any(map(self._roster.has, rooms)):
            outgoing = self._encode(self._with_position(packet))
            self._namespace.send_to_rooms(outgoing, [str(room) for room in dict.fromkeys(rooms)])
            self.taken += 1

    def _send_each(self, packet: Packet, options: Options) -> None:
        sessions = self._roster.sessions(options)
        if sessions:
            outgoing = self._encode(self._with_position(packet))
            self._namespace.send_each(outgoing, _ready(sessions) if options.is_volatile else sessions)
            self.taken += 1

    def _with_position(self, packet: Packet) -> list[object]:
        """Rule N-35: socket.io-client takes any text at the end of an event for its offset, its name too."""
        arguments = self._arguments(packet)
        if self._position is not None and isinstance(arguments[-1], str):
            arguments.append(self._position())
        return arguments

    def _arguments(self, packet: Packet) -> list[object]:
        cleaner = Cleaner(self._bounds)
        arguments = [cleaner.clean(argument) for argument in frames.arguments(packet)]
        if not arguments or not is_event_name(arguments[0]):
            raise ForeignError(Fault.EVENT, "an event whose name clients refuse")
        return arguments

    def _encode(self, arguments: list[object], ack_id: int | None = None) -> Outgoing:
        outgoing = encode(_EVENT, MAIN_NAMESPACE, ack_id, arguments)
        if len(outgoing.frame) > self._bounds.max_bytes:
            raise ForeignError(Fault.MAX_PAYLOAD, f"as JSON it has more than {self._bounds.max_bytes} bytes")
        return outgoing


def _ready(sessions: set[Session]) -> list[Session]:
    """Those that a volatile event reaches at once."""
    return [session for session in sessions if session.writable]
