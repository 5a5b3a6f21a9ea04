"""A feature of the chat: its events, its live settings, and its hooks for joining and leaving sockets.

The features of a chat are in one list (`Chat.features`), those of a team in another (chatd/team/features.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from chatd.chat.config import ChatConfig
from chatd.chat.member import Author, Member
from chatd.socketio.socket import EventName, Reply

Handler = Callable[[Author, list[object], Reply | None], None]
"""Called with an event of its sender, the arguments, and what answers it if an acknowledgement is asked for."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Calls are synchronous, come from the loop thread and must not raise."""

    events: Mapping[EventName, Handler]
    on_join: Callable[[Member], None] | None = None
    on_leave: Callable[[Member], None] | None = None
    use: Callable[[ChatConfig], None] | None = None
    """Called with other settings after a reload; it takes over those that are live."""
    on_system: Callable[[str], None] | None = None
    """Told of the name of a system of the operator that speaks for the desk, without a socket."""
