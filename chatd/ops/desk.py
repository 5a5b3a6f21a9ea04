"""The part of the chat that the admin socket uses; the daemon passes it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from chatd.store.base import Done, Message


class Desk(Protocol):
    """See chat/desk.py."""

    async def who(self) -> Mapping[str, object]: ...

    async def kick(self, user: str) -> Mapping[str, object]: ...

    def nodes(self) -> Mapping[str, object]: ...

    def send(self, author: str, to: str, text: str, done: Done) -> Message: ...

    def follow(self, tell: Callable[[Message], None]) -> Callable[[], None]: ...
