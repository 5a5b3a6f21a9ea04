"""A group of messages whose commit got no answer: all or none of them are stored. Rule P-11.

The outcome is known once the writing session has its lock again. Senders wait for that for a limited time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .base import MessageId


class Doubt:
    """The group, from the loss of the connection until `decide`."""

    __slots__ = ("_calls", "_is_stored", "ids")

    def __init__(self, ids: Iterable[MessageId]) -> None:
        self.ids = list(ids)
        self._calls: dict[MessageId, Callable[[], None]] = {}
        self._is_stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def answer(self, patience_s: float) -> bool | None:
        """Whether the group is stored; None if that is unknown after `patience_s` seconds."""
        await asyncio.wait([self._is_stored], timeout=patience_s)
        return self._is_stored.result() if self._is_stored.done() else None

    def if_stored(self, message_id: MessageId, call: Callable[[], None]) -> None:
        """Register `call`, for the case that the message is stored although its sender got an error."""
        self._calls[message_id] = call

    def decide(self, *, is_stored: bool) -> None:
        """Set the outcome, and make the registered calls in the order of the group."""
        self._is_stored.set_result(is_stored)
        for message_id in self.ids if is_stored else ():
            call = self._calls.pop(message_id, None)
            if call is not None:
                call()
