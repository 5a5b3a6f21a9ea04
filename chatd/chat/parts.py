"""The chat of a running daemon, as app.py hands it to what works on it from outside."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from chatd.chat.chat import Chat
from chatd.chat.desk import Desk
from chatd.chat.door import Door

if TYPE_CHECKING:
    from chatd.store.textindex import TextIndex


@dataclasses.dataclass(frozen=True, slots=True)
class ChatParts:
    """Made once, by `build`."""

    chat: Chat
    door: Door
    desk: Desk
    texts: TextIndex | None = None
