"""A namespace: its sockets, its rooms and its `accept` function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Set
from typing import Any

from chatd.base.errors import ChatdError
from chatd.base.timers import Timers
from chatd.engineio.outbox import Outbox
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.session import Session
from chatd.socketio.joined import joined
from chatd.socketio.packet import encode_event
from chatd.socketio.rooms import Rooms
from chatd.socketio.socket import Socket, SocketHandler

Auth = dict[str, Any]
"""The payload of a CONNECT, `{}` if it has none."""


class ConnectRefusedError(ChatdError):
    """A CONNECT is refused: the client sees `connect_error` with this message and data."""

    def __init__(self, message: str, data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


Accept = Callable[[Socket, Auth], SocketHandler | Coroutine[Any, Any, SocketHandler]]
"""Admits a socket to a namespace: returns its handler, or raises ConnectRefusedError. May be a coroutine function.

It may change the id of the socket to one that no socket of the namespace has.
"""

Greet = Callable[[Socket], object]
"""Returns the payload of the answer to a CONNECT. Called when the socket has its handler; must not raise."""


class Namespace:
    """Sockets by session: a session has at most one socket in a namespace.

    An application sets `greet` to answer a CONNECT with more than the socket's id.
    """

    def __init__(self, name: str, accept: Accept, timers: Timers, outbox: Outbox) -> None:
        self.name = name
        self.accept = accept
        self.greet: Greet = joined
        self.timers = timers
        self.sockets: dict[Session, Socket] = {}
        self.rooms: Rooms[Session] = Rooms(outbox.before_change)
        self._outbox = outbox
        self._all = self.sockets.keys()  # a live view: the audience of a broadcast without rooms
        self._ack_id = -1
        self.broadcasts = 0  # events to rooms
        self.deliveries = 0  # sockets that got an event to rooms, summed over events
        self.acknowledgements = 0  # sent to clients

    def emit(self, event: str, *args: object, to: Collection[str] = (), exclude: Collection[str] = ()) -> None:
        """Send an event to each socket in the rooms `to`, once; to the whole namespace if `to` is empty.

        Sockets in any room of `exclude` are skipped. Raises as `encode_event`, and then nothing is sent.
        """
        packet = encode_event(self.name, event, args)
        if exclude:
            self.send_each(packet, self._audience(to) - self.rooms.union(exclude))
        elif to:
            self.send_to_rooms(packet, to)
        else:
            self._outbox.broadcast(self._all, packet)

    def emit_volatile(self, event: str, *args: object, to: Collection[str] = (), exclude: Collection[str] = ()) -> None:
        """As `emit`, but skip sockets whose transport is not writable."""
        audience = self._audience(to) - self.rooms.union(exclude)
        self.send_each(encode_event(self.name, event, args), [session for session in audience if session.writable])

    def send_to_rooms(self, packet: Outgoing, rooms: Collection[str]) -> None:
        """Send to the union of `rooms`: one broadcast to the largest room, then a send to each remaining session."""
        widest: Set[Session] = frozenset()
        others: list[Set[Session]] = []
        for room in rooms:
            members = self.rooms.members(room)
            if len(members) > len(widest):
                widest, members = members, widest
            if members and not members <= widest:
                others.append(members)
        if len(widest) > 1:
            self._outbox.broadcast(widest, packet)
        else:
            self.send_each(packet, widest)
        self.broadcasts += 1
        self.deliveries += len(widest)
        if others:
            rest = set().union(*others) - widest
            self.deliveries += len(rest)
            self.send_each(packet, rest)

    def send_each(self, packet: Outgoing, sessions: Collection[Session]) -> None:
        for session in sessions:
            self._outbox.send(session, packet)

    def next_ack_id(self) -> int:
        self._ack_id += 1
        return self._ack_id

    # What clients call.

    def enter(self, socket: Socket) -> None:
        self._outbox.before_change(self._all)
        self.sockets[socket.session] = socket

    def leave(self, socket: Socket) -> None:
        """Take the socket out of all its rooms, at once."""
        self._outbox.before_change(self._all)
        self.rooms.leave_all(socket.session)
        self.sockets.pop(socket.session, None)

    def _audience(self, rooms: Collection[str]) -> Set[Session]:
        return self.rooms.union(rooms) if rooms else self._all
