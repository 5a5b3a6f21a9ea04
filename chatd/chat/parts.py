"""The chat of a running daemon, for the parts that use it from outside: API, metrics, webhooks."""

from __future__ import annotations

import dataclasses

from chatd.chat.chat import Chat
from chatd.chat.desk import Desk
from chatd.chat.door import Door


@dataclasses.dataclass(frozen=True, slots=True)
class ChatParts:
    """Made once, by `build`."""

    chat: Chat
    door: Door
    desk: Desk
