"""The Socket.IO side of one session: its packets, and its sockets by namespace.

    absent -> CONNECT -> joining (`Namespace.accept` decides) -> joined -> absent

A packet that breaks a rule ends the session (S-29), as in the reference. No method raises.
Rules S-14 to S-19 and S-23 to S-29 of protocol.md.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol

from chatd.base.errors import WireError
from chatd.base.refusals import Refusals
from chatd.base.tasks import Tasks
from chatd.base.timers import Timers
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Session, State
from chatd.engineio.turns import Price
from chatd.engineio.unfinished import Hold
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.jsontext import parsed_bytes
from chatd.socketio.limits import SocketLimit
from chatd.socketio.namespace import ConnectRefusedError, Namespace
from chatd.socketio.packet import (
    IncomingBinary,
    OverLimitError,
    Packet,
    PacketType,
    SocketPacketError,
    decode,
    encode,
)
from chatd.socketio.reasons import DisconnectReason, LeaveReason
from chatd.socketio.socket import Socket, SocketHandler

SOCKET_ID_BYTES: Final = 15

# Constants for the path of every message: `PacketType.EVENT` takes 0.19 µs on Python 3.11, a module constant 0.04.
_CONNECT: Final = PacketType.CONNECT
_DISCONNECT: Final = PacketType.DISCONNECT
_EVENT: Final = PacketType.EVENT
_BINARY_EVENT: Final = PacketType.BINARY_EVENT

log = logging.getLogger("chatd.socketio")


class ServerContext(Protocol):
    """The objects that all clients of a server share."""

    @property
    def config(self) -> SocketIoConfig: ...

    @property
    def namespaces(self) -> Mapping[str, Namespace]: ...

    @property
    def timers(self) -> Timers: ...

    @property
    def tasks(self) -> Tasks: ...

    @property
    def refusals(self) -> Refusals[SocketLimit]: ...

    @property
    def ended(self) -> dict[CloseReason, int]: ...


class Client:
    """The handler of one session."""

    __slots__ = ("_hold", "_incoming", "_joining", "_left", "_refused", "_server", "_sockets", "due_tick", "session")

    def __init__(self, session: Session, server: ServerContext) -> None:
        self.due_tick = 0
        self.session = session
        self._server = server
        self._sockets: dict[str, Socket] = {}
        self._joining: dict[str, asyncio.Task[None]] | None = None
        self._left: set[str] | None = None  # namespaces that the server disconnected; the client may not know yet
        self._incoming: IncomingBinary | None = None
        self._hold: Hold | None = None  # the memory of `_incoming`
        self._refused = 0  # refused CONNECTs in a row
        server.timers.arm(self, server.config.connect_timeout_s)

    # What the session calls.

    def on_message(self, data: str | bytes) -> None:
        try:
            packet = self._packet(data)
            if packet is not None:
                self._on_packet(packet)
        except WireError as error:
            log.debug("packet refused: %s", error, extra={"sid": self.session.logged_sid})
            if isinstance(error, OverLimitError):
                self._count(error.limit, f"packet refused: {error}")
            self.session.close(CloseReason.FORCED_CLOSE)
        except Exception:
            log.exception("a handler failed", extra={"sid": self.session.logged_sid})

    def on_close(self, reason: CloseReason) -> None:
        self._server.ended[reason] += 1
        self._server.timers.cancel(self)
        self._end_incoming()
        for task in (self._joining or {}).values():
            task.cancel()
        for socket in list(self._sockets.values()):
            self._drop(socket, reason)

    def on_deadline(self) -> None:
        """Rule S-14: a client must join a namespace in time."""
        self._count(SocketLimit.CONNECT_TIMEOUT, "session closed: it did not join in time")
        self.session.close(CloseReason.FORCED_CLOSE)

    # What sockets call.

    def leave(self, socket: Socket, reason: LeaveReason) -> None:
        """Take `socket` out of its namespace and tell the client. Idempotent."""
        name = socket.namespace.name
        if self._sockets.get(name) is not socket:
            return
        self._left = (self._left or set()) | {name}
        socket.send(encode(PacketType.DISCONNECT, name))
        self._drop(socket, reason)

    def leave_all_and_close(self) -> None:
        """Rule S-28: a DISCONNECT for each namespace, then the end of the session."""
        for socket in list(self._sockets.values()):
            self.leave(socket, LeaveReason.SERVER_DISCONNECT)
        self.session.close(CloseReason.FORCED_CLOSE)

    # Packets.

    def _packet(self, data: str | bytes) -> Packet | None:
        """The packet that `data` completes; None while attachments are still to come."""
        if isinstance(data, bytes):
            if self._incoming is None:
                raise SocketPacketError("a binary message without a packet that announced it")
            packet = self._incoming.feed(data)
            if packet is not None:
                self._end_incoming()
            else:
                self._count_unfinished(self._incoming.size_bytes)
            return packet
        if self._incoming is not None:
            raise SocketPacketError("a text message where an attachment was announced")
        config = self._server.config
        packet = decode(data, max_attachments=config.max_attachments, max_depth=config.max_depth)
        if not packet.attachments:
            return packet
        if packet.namespace not in self._sockets:  # refused now, so that its attachments are not kept
            self._refuse_stray(packet)
        self._incoming = IncomingBinary(packet, parsed_bytes(data))
        self._count_unfinished(self._incoming.size_bytes)
        return None

    def _count_unfinished(self, size_bytes: int) -> None:
        """Rule L-12: count the memory of a packet whose attachments have not all arrived."""
        self._hold = self._hold or self.session.hold()
        if not self._hold.resize(size_bytes):
            self.session.close(CloseReason.FORCED_CLOSE)

    def _end_incoming(self) -> None:
        self._incoming = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def _on_packet(self, packet: Packet) -> None:
        if packet.type is _CONNECT:
            self._on_connect(packet)
            return
        socket = self._sockets.get(packet.namespace)
        if socket is None:
            self._refuse_stray(packet)
        elif packet.type is _DISCONNECT:
            self._drop(socket, LeaveReason.CLIENT_DISCONNECT)
        elif packet.type is _EVENT or packet.type is _BINARY_EVENT:
            socket.on_event(packet.data, packet.id)
        elif packet.id is not None and packet.data is not None:
            socket.on_ack(packet.id, packet.data)

    def _refuse_stray(self, packet: Packet) -> None:
        """Rule S-16: a packet for a namespace that was never joined ends the session.

        Rule S-26: a packet for a namespace that the server has just disconnected is dropped; the client may have sent
        it before it knew.
        """
        if self._left is None or packet.namespace not in self._left:
            raise SocketPacketError(f"{packet.type.name} for {packet.namespace}, which is not joined")

    # Joining.

    def _on_connect(self, packet: Packet) -> None:
        name = packet.namespace
        if name in self._sockets or (self._joining and name in self._joining):
            raise SocketPacketError(f"a second CONNECT to {name}")
        namespace = self._server.namespaces.get(name)
        if namespace is None:
            self._refuse(name, ConnectRefusedError("Invalid namespace"))
            return
        if self._is_full():
            self._count(SocketLimit.MAX_NAMESPACES, "socket refused: its session is in enough namespaces")
            self._refuse(name, ConnectRefusedError("Too many namespaces", {"code": "too_many_namespaces"}))
            return
        auth: dict[str, Any] = packet.data or {}
        socket = Socket(secrets.token_urlsafe(SOCKET_ID_BYTES), namespace, self)
        try:
            handler = namespace.accept(socket, auth)
        except ConnectRefusedError as error:
            self._refuse(name, error)
        except Exception:
            log.exception("a door failed", extra={"sid": self.session.logged_sid})
            self._refuse(name, ConnectRefusedError("internal error"))
        else:
            if isinstance(handler, Coroutine):
                self._start_joining(socket, handler)
            else:
                self._join(socket, handler)

    def _is_full(self) -> bool:
        """Rule L-07."""
        return 0 < self._server.config.max_namespaces <= len(self._sockets) + len(self._joining or ())

    def _start_joining(self, socket: Socket, accepting: Coroutine[Any, Any, SocketHandler]) -> None:
        name = socket.namespace.name
        if self._joining is None:
            self._joining = {}
        task = self._joining[name] = self._server.tasks.start(self._join_later(socket, accepting), f"join {name}")
        # A task that is cancelled in the turn that made it never awaits `accepting`, which must be closed all the same.
        task.add_done_callback(lambda _: accepting.close())

    async def _join_later(self, socket: Socket, accepting: Coroutine[Any, Any, SocketHandler]) -> None:
        """Join when `accepting`, the coroutine of `Namespace.accept`, has finished."""
        name = socket.namespace.name
        try:
            handler = await accepting
        except ConnectRefusedError as error:
            self._refuse(name, error)
        except Exception:
            log.exception("a door failed", extra={"sid": self.session.logged_sid})
            self._refuse(name, ConnectRefusedError("internal error"))
        else:
            self._join(socket, handler)
        finally:
            if self._joining is not None:
                self._joining.pop(name, None)

    def _join(self, socket: Socket, handler: SocketHandler) -> None:
        if self.session.state is not State.OPEN:  # `accept` has ended it, or its coroutine ignored the cancellation
            return
        name = socket.namespace.name
        self._refused = 0
        self.session.trust()
        self.session.charge(Price.JOIN)
        self._server.timers.cancel(self)
        if self._left is not None:
            self._left.discard(name)
        socket.handler = handler
        self._sockets[name] = socket
        socket.namespace.enter(socket)
        socket.send(encode(PacketType.CONNECT, name, data=socket.namespace.greet(socket)))
        handler.on_connect()

    def _refuse(self, name: str, error: ConnectRefusedError) -> None:
        """Answer CONNECT_ERROR (S-15) with an object that has a message (S-17); without it clients crash or wait.

        Rule L-15: too many refusals in a row end the session.
        """
        data: dict[str, object] = {"message": error.message}
        if error.data is not None:
            data["data"] = error.data
        try:
            packet = encode(PacketType.CONNECT_ERROR, name, data=data)
        except (TypeError, ValueError):
            log.exception("the data of a refusal is no JSON", extra={"sid": self.session.logged_sid})
            packet = encode(PacketType.CONNECT_ERROR, name, data={"message": "internal error"})
        self.session.send_packet(packet)
        self.session.charge(Price.REFUSED_CONNECT)
        self._refused += 1
        if 0 < self._server.config.max_refused < self._refused:
            self._count(SocketLimit.MAX_REFUSED, "session closed: it was refused too often")
            self.session.close(CloseReason.FORCED_CLOSE)

    def _count(self, limit: SocketLimit, why: str) -> None:
        about = {"sid": self.session.logged_sid, "address": self.session.handshake.address}
        self._server.refusals.add(limit, why, **about)

    def _drop(self, socket: Socket, reason: DisconnectReason) -> None:
        """Take `socket` out of its namespace. Idempotent: the handler of another socket may have done it already."""
        name = socket.namespace.name
        if self._sockets.get(name) is not socket:
            return
        del self._sockets[name]
        socket.namespace.leave(socket)
        try:
            socket.on_gone(reason)
        except Exception:
            log.exception("a handler failed", extra={"sid": self.session.logged_sid})
