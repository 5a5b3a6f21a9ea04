"""The chat of a running daemon, as app.py hands it to what works on it from outside."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from chatd.chat.desk import Desk
from chatd.chat.door import Door
from chatd.chat.router import ChatRouter
from chatd.socketio.namespace import Namespace
from chatd.store.base import Store

if TYPE_CHECKING:
    from chatd.store.textindex import TextIndex


@dataclasses.dataclass(frozen=True, slots=True)
class ChatParts:
    """Made once, by `build`."""

    router: ChatRouter
    namespace: Namespace
    door: Door
    desk: Desk
    store: Store
    texts: TextIndex | None = None
