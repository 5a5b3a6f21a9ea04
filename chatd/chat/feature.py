"""What the chat can do beside its own rules, and an operator may leave out: one object for each such thing.

A feature brings its events, what it does when a socket joins, and what it counts. The features of a daemon
are made in one list (chatd/team/features.py). A daemon without any imports none, and calls nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from chatd.chat.member import Author, Member
from chatd.socketio.socket import EventName, Reply

if TYPE_CHECKING:
    from chatd.chat.router import ChatRouter

Handler = Callable[["ChatRouter", Author, list[object], Reply | None], None]


class Feature(Protocol):
    """Calls are synchronous, come from the loop thread and must not raise."""

    @property
    def events(self) -> Mapping[EventName, Handler]:
        """What clients may send. An event that the chat has already is answered by the feature instead."""

    def on_join(self, member: Member) -> None: ...
