"""Operations for an operator's terminal on the same machine. Rule C-65.

The file mode of the admin socket decides who may; here is no further check.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from chatd.auth import Identity
from chatd.auth.identity import ADMIN
from chatd.base.errors import RefusedError
from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, PrivateMessage, parse_user
from chatd.chat.member import Member
from chatd.chat.messages.audience import user_room
from chatd.engineio.session import Session
from chatd.store.base import Done, Message

if TYPE_CHECKING:
    from chatd.chat.denials import Denials

KICKED: Final = "kicked"
"""`code` of a `desconexion`."""

log = logging.getLogger("chatd.chat")


Found = dict[str, Any]
"""An answer to the operator: the fields that the admin socket sends."""


class Desk:
    """One for the chat."""

    def __init__(self, chat: Chat) -> None:
        self._namespace = chat.namespace
        self._messages = chat.messages

    async def who(self) -> Found:
        """`people`: every connected socket and its user."""
        return {"people": self._people()}

    async def kick(self, user: str) -> Found:
        """End all sessions of `user`; `sessions` is their number. The user may reconnect unless denied."""
        return {"sessions": self._kick(user)}

    async def deny_elsewhere(self, _entry: str) -> list[int]:
        """Add an entry to the deny lists of other nodes. Returns the nodes that have not confirmed it."""
        return []

    def answer_denials(self, denials: Denials) -> None:
        """Let other nodes add to this node's deny list."""

    def nodes(self) -> Found:
        """`nodes`: all of them, where there are several. Raises RefusedError."""
        raise RefusedError("alone", "this daemon is not one of several nodes: it was started without --bus")

    def _people(self) -> list[dict[str, str | int]]:
        return [
            _person(socket.handler.identity, socket.session)
            for socket in self._namespace.sockets.values()
            if isinstance(socket.handler, Member)
        ]

    def _kick(self, user: str) -> int:
        sessions = list(self._namespace.rooms.members(user_room(user)))
        for session in sessions:
            member = self._namespace.sockets[session].handler
            if isinstance(member, Member):
                log.info("kicked", extra=member.logged)
                member.expel(KICKED, "An operator has ended this connection.")
        return len(sessions)

    def send(self, author: object, to: object, text: object, done: Done) -> Message:
        """A message of an admin who is called `author`. Raises RefusedError and StoreError as a client's would."""
        name = parse_user(author, "from", EventCode.ARGUMENTS_INVALID)
        parsed = PrivateMessage.parse([{"para": to, "mensaje": text}], self._messages.max_chars)
        return self._messages.submit(Identity(name, name, ADMIN, None, None), parsed, done)

    def follow(self, tell: Callable[[Message], None]) -> Callable[[], None]:
        """Call `tell` with every message that all admins see, until the returned function is called."""
        listeners = self._messages.feed.listeners

        def supervised(message: Message) -> None:
            if message.supervisado:
                tell(message)

        listeners.append(supervised)
        return lambda: listeners.remove(supervised)


def _person(identity: Identity, session: Session) -> dict[str, str | int]:
    return {
        "user": identity.user,
        "name": identity.name,
        "rol": identity.rol,
        "sid": session.logged_sid,
        "transport": session.transport.name,
        "address": session.handshake.address,
    }
