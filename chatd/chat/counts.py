"""The numbers of a chat, for metrics."""

from __future__ import annotations

from collections.abc import Mapping

from chatd.chat.chat import Chat
from chatd.chat.messages.audience import ADMINS, online_users
from chatd.chat.recovery.recovery import Recovery


class ChatCounts:
    """Reads its numbers from the objects of the chat; keeps none itself."""

    def __init__(self, chat: Chat, recovery: Recovery) -> None:
        self._router = chat.router
        self._rooms = chat.namespace.rooms
        self._recovery = recovery

    @property
    def users(self) -> int:
        """The number of users online, including admins."""
        return online_users(self._rooms)

    @property
    def admins(self) -> int:
        """The number of connected sockets of admins."""
        return len(self._rooms.members(ADMINS))

    @property
    def events(self) -> int:
        """Events from clients since the start."""
        return self._router.received

    @property
    def recoveries(self) -> Mapping[str, int]:
        """Reconnected clients that sent the position of their last message, by outcome."""
        return self._recovery.outcomes
