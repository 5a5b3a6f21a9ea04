"""A user's other sockets see what one of them has sent. Rules C-42 and C-43 of protocol.md."""

from __future__ import annotations

from collections.abc import Collection

from chatd.chat.events import Sent
from chatd.chat.messages.audience import user_room
from chatd.engineio.session import Session
from chatd.socketio.namespace import Namespace
from chatd.socketio.packet import PreparedEvent
from chatd.store.base import Message


class Echo:
    """Sends `mensaje_enviado`."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._sent = PreparedEvent(namespace.name, "mensaje_enviado")

    def send(self, message: Message, audience: Collection[str], *, but: Session | None) -> None:
        """To the author's sockets, except the one that sent it and those that have it already: they are in `audience`.

        Costs a look at the author's sockets, and of `audience` at those alone.
        """
        rooms = self._namespace.rooms
        own = rooms.members(user_room(message.de))
        if len(own) == 1 and but in own:
            return
        others = [session for session in own if session is not but and not set(rooms.of(session)) & set(audience)]
        if others:
            self._namespace.send_each(self._sent.encode(_sent(message)), others)


def _sent(message: Message) -> Sent:
    return Sent(str(message.id), message.para, message.mensaje, message.fecha, message.cid)
