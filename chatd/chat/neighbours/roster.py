"""The sockets that are in their rooms, by id: to Node.js nodes, the id of a socket is a room like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chatd.chat.feature import Feature
from chatd.chat.member import Member
from chatd.chat.messages.audience import rooms_of
from chatd.cluster.adapter.frames import Options, Room
from chatd.engineio.session import Session
from chatd.socketio.namespace import Namespace
from chatd.socketio.socket import Socket


class Entered(NamedTuple):
    """A member in its rooms, and since when, in Unix milliseconds."""

    member: Member
    since_ms: int


class Roster:
    """The router tells it of every join and leave."""

    def __init__(self, namespace: Namespace, clock_ms: Callable[[], int]) -> None:
        self._namespace = namespace
        self._clock_ms = clock_ms
        self._entered: dict[str, Entered] = {}

    @property
    def feature(self) -> Feature:
        return Feature(events={}, on_join=self._on_join, on_leave=self._on_leave)

    def _on_join(self, member: Member) -> None:
        self._entered[member.socket.id] = Entered(member, self._clock_ms())

    def _on_leave(self, member: Member) -> None:
        entered = self._entered.get(member.socket.id)
        if entered is not None and entered.member is member:
            del self._entered[member.socket.id]

    # Who is meant.

    @property
    def rooms(self) -> Iterator[str]:
        yield from self._namespace.rooms
        yield from self._entered

    def has(self, room: Room) -> bool:
        """Whether a socket is in it."""
        return room in self._entered or bool(self._namespace.rooms.members(str(room)))

    def is_socket(self, room: Room) -> bool:
        return room in self._entered

    def sessions(self, options: Options) -> set[Session]:
        """Those that an event is for. Costs all of them if it names no room."""
        if options.rooms:
            meant = self._members(options.rooms)
        else:
            meant = {entered.member.socket.session for entered in self._entered.values()}
        return meant - self._members(options.exclude or ())

    def entered(self, options: Options) -> Iterator[Entered]:
        """The members of those sessions, and since when they are in their rooms."""
        for session in self.sessions(options):
            yield self._entered[self._namespace.sockets[session].id]

    def all_sockets(self, options: Options) -> list[Socket]:
        """Those that are meant, and those that would be if they had got what they missed already."""
        found = [self._namespace.sockets[session] for session in self.sessions(options)]
        if len(self._entered) < len(self._namespace.sockets):
            found += [socket for socket in self._namespace.sockets.values() if self._will_be(socket, options)]
        return found

    def _will_be(self, socket: Socket, options: Options) -> bool:
        member = socket.handler
        if not isinstance(member, Member) or socket.id in self._entered:
            return False
        rooms = {socket.id, *rooms_of(member.identity.user, is_admin=member.identity.is_admin)}
        return (not options.rooms or not rooms.isdisjoint(options.rooms)) and rooms.isdisjoint(options.exclude or ())

    def _members(self, rooms: Iterable[Room]) -> set[Session]:
        found: set[Session] = set()
        for room in rooms:
            if isinstance(room, str):
                found |= self._namespace.rooms.members(room)
                if room in self._entered:
                    found.add(self._entered[room].member.socket.session)
        return found
