"""Acknowledgements of clients for events of the server. Rules S-20 to S-22 of protocol.md."""

from __future__ import annotations

import asyncio

from chatd.base.errors import ChatdError
from chatd.base.timers import Timers


class AckTimeoutError(ChatdError):
    """The client did not acknowledge in time."""


class SocketGoneError(ChatdError):
    """The socket left before it acknowledged."""


class PendingAck:
    """An event of the server that a client has not acknowledged yet.

    `future` gets the first result: the acknowledgement, the timeout or the end of the socket.
    """

    __slots__ = ("_timers", "due_tick", "future")

    def __init__(self, timers: Timers, timeout_s: float) -> None:
        self.due_tick = 0
        self._timers = timers
        self.future: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()
        timers.arm(self, timeout_s)

    def resolve(self, args: list[object]) -> None:
        self._timers.cancel(self)
        if not self.future.done():
            self.future.set_result(args)

    def fail(self, error: ChatdError) -> None:
        self._timers.cancel(self)
        if not self.future.done():
            self.future.set_exception(error)

    def on_deadline(self) -> None:
        self.fail(AckTimeoutError("no acknowledgement in time"))
