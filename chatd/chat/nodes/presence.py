"""Who is here, on any node. Rule N-12."""

from __future__ import annotations

from typing import Any

from chatd.chat.nodes.people import People
from chatd.chat.presence.presence import Presence


class NodePresence(Presence):
    """Counts the sockets of this node, and those that `people` has of others."""

    def __init__(self, people: People, *parts: Any) -> None:
        super().__init__(*parts)
        self._people = people
        people.on_change = self._on_change

    def _on_change(self, user: str, change: int) -> None:
        if change > 0:
            self.came(user, change)
        else:
            self.left(user, -change)

    def _saw(self, user: str, fecha_ms: int) -> None:
        """A user of another node is seen by that one."""
        if user in self._people:
            super()._saw(user, fecha_ms)
