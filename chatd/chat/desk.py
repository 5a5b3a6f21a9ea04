"""What an operator may do in a chat, from a terminal on the same machine. Rule C-65.

Who may is decided by whoever can open the daemon's admin socket; here nobody asks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from chatd.auth import Identity
from chatd.auth.identity import ADMIN
from chatd.chat.audience import user_room
from chatd.chat.events import EventCode, PrivateMessage, parse_user
from chatd.chat.member import Member
from chatd.chat.router import ChatRouter
from chatd.socketio.namespace import Namespace
from chatd.store.base import Done, Message

KICKED: Final = "kicked"
"""`code` of a `desconexion`."""

log = logging.getLogger("chatd.chat")


class Desk:
    """One for the chat."""

    def __init__(self, namespace: Namespace, router: ChatRouter) -> None:
        self._namespace = namespace
        self._router = router

    def people(self) -> Iterator[dict[str, object]]:
        """Every socket that is connected, and who it speaks for."""
        for socket in self._namespace.sockets.values():
            if isinstance(socket.handler, Member):
                identity, session = socket.handler.identity, socket.session
                yield {
                    "user": identity.user,
                    "name": identity.name,
                    "rol": identity.rol,
                    "sid": session.logged_sid,
                    "transport": session.transport.name,
                    "address": session.handshake.address,
                }

    def kick(self, user: str) -> int:
        """End all sessions of `user`: how many. They may come back, unless the deny list has them."""
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
        parsed = PrivateMessage.parse([{"para": to, "mensaje": text}], self._router.max_chars)
        return self._router.submit(Identity(name, name, ADMIN, None, None), parsed, done)

    def follow(self, tell: Callable[[Message], None]) -> Callable[[], None]:
        """Call `tell` with every message that all admins see, until what is returned is called."""
        listeners = self._router.feed.listeners

        def supervised(message: Message) -> None:
            if message.supervisado:
                tell(message)

        listeners.append(supervised)
        return lambda: listeners.remove(supervised)
