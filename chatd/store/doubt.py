"""A group of messages whose commit got no answer: it is stored whole or not at all, and it is unknown which. Rule P-11.

The database can tell once the session that writes has its lock again. Senders wait for that, but not for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .base import MessageId


class Doubt:
    """One such group, from the loss of the connection until `decide`."""

    __slots__ = ("_calls", "_is_stored", "ids")

    def __init__(self, ids: Iterable[MessageId]) -> None:
        self.ids = list(ids)
        self._calls: dict[MessageId, Callable[[], None]] = {}
        self._is_stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def answer(self, patience_s: float) -> bool | None:
        """Whether the group is stored; None if that is not known in time."""
        await asyncio.wait([self._is_stored], timeout=patience_s)
        return self._is_stored.result() if self._is_stored.done() else None

    def if_stored(self, message_id: MessageId, call: Callable[[], None]) -> None:
        """Call `call` if the message turns out to be stored. Its sender has been refused by then."""
        self._calls[message_id] = call

    def decide(self, *, is_stored: bool) -> None:
        """The outcome is known. Calls are made in the order of the group."""
        self._is_stored.set_result(is_stored)
        for message_id in self.ids if is_stored else ():
            call = self._calls.pop(message_id, None)
            if call is not None:
                call()
