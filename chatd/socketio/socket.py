"""One client's presence in one namespace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.socketio.acks import PendingAck, SocketGoneError
from chatd.socketio.packet import PacketType, encode, encode_event
from chatd.socketio.reasons import DisconnectReason, LeaveReason

if TYPE_CHECKING:
    from chatd.socketio.client import Client
    from chatd.socketio.namespace import Namespace

EventName = str | int | float

_ACK: Final = PacketType.ACK  # faster than the enum attribute: see client.py


class SocketHandler(Protocol):
    """The application's callbacks for a socket. Calls are synchronous, in the order of the wire, and must not raise."""

    def on_connect(self) -> None:
        """The answer to CONNECT is sent: the socket may join rooms and send events."""

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        """`reply` is None unless the client asked for an acknowledgement."""

    def on_disconnect(self, reason: DisconnectReason) -> None:
        """The socket has left its rooms and sends no more; called once for each `on_connect`."""


class Gone:
    """The handler of a socket that has left."""

    def on_connect(self) -> None: ...

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None: ...

    def on_disconnect(self, reason: DisconnectReason) -> None: ...


GONE: Final = Gone()


class Socket:
    """The application's handle of a client. After its disconnection no method raises, and packets are dropped."""

    __slots__ = ("_acks", "_client", "handler", "id", "namespace", "session")

    def __init__(self, socket_id: str, namespace: Namespace, client: Client) -> None:
        self.id = socket_id
        self.namespace = namespace
        self.session: Session = client.session
        self.handler: SocketHandler
        self._client = client
        self._acks: dict[int, PendingAck] | None = None

    def emit(self, event: str, *args: object) -> None:
        """Send an event to this socket. Raises as `encode_event`."""
        self.send(encode_event(self.namespace.name, event, args))

    def emit_volatile(self, event: str, *args: object) -> None:
        """Send an event if the transport is writable; drop it otherwise."""
        if self.session.writable:
            self.emit(event, *args)

    def emit_with_ack(self, event: str, *args: object, timeout_s: float) -> asyncio.Future[list[object]]:
        """Send an event. The future gets the client's arguments, or fails with AckTimeoutError or SocketGoneError."""
        ack_id = self.namespace.next_ack_id()
        return self.send_with_ack(encode_event(self.namespace.name, event, args, ack_id), ack_id, timeout_s)

    def send_with_ack(self, packet: Outgoing, ack_id: int, timeout_s: float) -> asyncio.Future[list[object]]:
        """As `emit_with_ack`, for an encoded event whose `ack_id` is from `namespace.next_ack_id`."""
        self.send(packet)
        pending = PendingAck(self.namespace.timers, timeout_s)
        if not self.joined:
            pending.fail(SocketGoneError(f"socket {self.id} is gone"))
            return pending.future
        if self._acks is None:
            self._acks = {}
        self._acks[ack_id] = pending
        pending.future.add_done_callback(lambda _: self._acks and self._acks.pop(ack_id, None))
        return pending.future

    @property
    def joined(self) -> bool:
        """Whether the socket is in its namespace: False before it is admitted and after it has left."""
        return self.namespace.sockets.get(self.session) is self

    def join(self, room: str) -> None:
        if self.joined:
            self.namespace.rooms.join(self.session, room)

    def leave(self, room: str) -> None:
        if self.joined:
            self.namespace.rooms.leave(self.session, room)

    @property
    def rooms(self) -> tuple[str, ...]:
        return self.namespace.rooms.of(self.session) if self.joined else ()

    def disconnect(self) -> None:
        """Disconnect the client from the namespace; it does not reconnect by itself. The session stays open."""
        self._client.leave(self, LeaveReason.SERVER_DISCONNECT)

    def disconnect_session(self) -> None:
        """Leave every namespace and end the session."""
        self._client.leave_all_and_close()

    # What the client object calls.

    def on_event(self, args: list[object], packet_id: int | None) -> None:
        event = args[0]
        reply = None if packet_id is None else AckReply(self, packet_id)
        self.handler.on_event(event, args[1:], reply)  # type: ignore[arg-type]  # the decoder has checked the name

    def on_ack(self, ack_id: int, args: list[object]) -> None:
        """Rule S-21: an unknown id, or the id of another socket, is ignored."""
        pending = self._acks.get(ack_id) if self._acks else None
        if pending is not None:
            pending.resolve(args)

    def on_gone(self, reason: DisconnectReason) -> None:
        acks, self._acks = self._acks, None
        for pending in (acks or {}).values():
            pending.fail(SocketGoneError(f"socket {self.id} is gone: {reason.value}"))
        handler = self.handler
        self.handler = GONE  # breaks the reference cycle, so that memory is freed without the garbage collector
        handler.on_disconnect(reason)

    def send(self, packet: Outgoing) -> None:
        if self.joined:
            self.session.send_packet(packet)


class Reply(Protocol):
    """Answers an event."""

    def __call__(self, *args: object) -> None: ...


class AckReply:
    """Rule S-30: answers one event of a client, once; further calls do nothing."""

    __slots__ = ("_packet_id", "_socket")

    def __init__(self, socket: Socket, packet_id: int) -> None:
        self._socket: Socket | None = socket
        self._packet_id = packet_id

    def __call__(self, *args: object) -> None:
        socket = self._socket
        if socket is not None:
            packet = encode(_ACK, socket.namespace.name, self._packet_id, args)
            self._socket = None
            socket.namespace.acknowledgements += 1
            socket.send(packet)
