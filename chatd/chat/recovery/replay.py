"""The messages that one member has missed, sent in portions as fast as its client reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from chatd.chat.member import Member
from chatd.chat.recovery.pages import Question, Stretch
from chatd.engineio.outgoing import Outgoing
from chatd.socketio.socket import Socket
from chatd.store.base import Message, MessageId

# A replay pauses while this much is queued for the client: far less than what disconnects a slow client (E-27). A
# larger message is sent alone, when the queue is empty.
PORTION_BYTES: Final = 32_768


class Replay:
    """A member that has a valid token and is not in its rooms yet, because missed messages are sent first."""

    __slots__ = ("_read_to", "complete", "cursor", "member", "packets", "task")

    def __init__(self, member: Member, after: MessageId, *, complete: bool) -> None:
        self.member = member
        self.complete = complete
        self.cursor = after  # all messages up to this id are sent
        self.packets: deque[tuple[MessageId, Outgoing]] = deque()  # read from the database, not sent yet
        self.task: asyncio.Task[None] | None = None
        self._read_to = after

    @property
    def question(self) -> Question:
        """The next query."""
        identity = self.member.identity
        return Question(identity.user, identity.is_admin, self.cursor)

    def take(self, stretch: Stretch, encode: Callable[[Message], Outgoing]) -> None:
        self.packets.extend((message.id, encode(message)) for message in stretch.messages)
        self._read_to = stretch.upto if stretch.whole else stretch.messages[-1].id

    def send(self, portion: Portion) -> bool:
        """Send messages that were read, until the portion is full. Returns whether all were sent."""
        while self.packets:
            message_id, packet = self.packets[0]
            if not portion.send(packet):
                return False
            self.packets.popleft()
            self.cursor = message_id
        self.cursor = max(self.cursor, self._read_to)
        return True


class Portion:
    """The bytes that a client may be sent in one turn, in addition to those queued already."""

    __slots__ = ("_socket", "_waiting_bytes")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._waiting_bytes = socket.session.queued_bytes

    def send(self, packet: Outgoing) -> bool:
        """Send `packet` if there is room. Returns whether it was sent."""
        size = len(packet.frame)
        if self._waiting_bytes + size > PORTION_BYTES and (self._waiting_bytes or not self._socket.session.writable):
            return False
        self._waiting_bytes += size
        self._socket.send(packet)
        return True
