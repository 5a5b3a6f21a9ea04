"""Who is an admin, on any of several nodes. Rules C-08 and C-78."""

from __future__ import annotations

from chatd.chat.config import ChatConfig
from chatd.chat.messages.supervision import Supervision
from chatd.chat.nodes.people import People
from chatd.engineio.session import Session
from chatd.socketio.rooms import Rooms


class NodeSupervision(Supervision):
    """Knows the sockets of this node, and those that `people` has of others."""

    def __init__(self, people: People, config: ChatConfig, rooms: Rooms[Session]) -> None:
        super().__init__(config, rooms)
        self._people = people
        people.on_met = self._meet

    def is_online_admin(self, user: str) -> bool:
        """See Supervision.is_online_admin."""
        return super().is_online_admin(user) or self._people.is_admin_elsewhere(user)

    def _meet(self, user: str, is_admin: bool) -> None:
        self.on_met(user, is_admin)  # another one by then

    def is_attended(self) -> bool:
        """See Supervision.is_attended."""
        return super().is_attended() or self._people.has_admin_elsewhere()
