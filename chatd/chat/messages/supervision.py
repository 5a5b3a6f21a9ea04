"""Which messages every admin may read, and who is an admin. Rules C-06 to C-08, C-19, C-78 and D-01."""

from __future__ import annotations

from collections.abc import Callable

from chatd.auth import Identity
from chatd.chat.config import ChatConfig
from chatd.chat.messages.audience import ADMINS, is_online_admin, recipients
from chatd.engineio.session import Session
from chatd.socketio.rooms import Rooms


class Supervision:
    """`is_admin` may be replaced by what knows of users who are not here.

    `on_met`, which may be replaced as well, is told of users who came to another node, and whether as an admin.
    """

    def __init__(self, config: ChatConfig, rooms: Rooms[Session]) -> None:
        self._admin_messages = config.admin_messages
        self._rooms = rooms
        self.is_admin: Callable[[str], bool] = self.is_online_admin
        self.on_met: Callable[[str, bool], None] = lambda _user, _is_admin: None

    def use(self, config: ChatConfig) -> None:
        """Other `admin_messages` from now on."""
        self._admin_messages = config.admin_messages

    def includes(self, author: Identity, para: str) -> bool:
        """Whether what `author` writes to `para` is for all admins: it is, if the author is none."""
        return not author.is_admin or self._is_for_admins(para)

    def hearers(self, author: Identity, para: str) -> tuple[str, ...]:
        """The rooms that a message of `author` to `para` goes to."""
        return recipients(para, supervised=self.includes(author, para))

    def is_online_admin(self, user: str) -> bool:
        return is_online_admin(self._rooms, user)

    def is_attended(self) -> bool:
        """Whether any admin is connected."""
        return bool(self._rooms.members(ADMINS))

    def _is_for_admins(self, para: str) -> bool:
        """Rule C-08: what an admin writes to another may be for all of them. Rule D-01: what one writes to a user."""
        match self._admin_messages:
            case "all":
                return self.is_online_admin(para)
            case "team":
                return not self.is_admin(para)
        return False
