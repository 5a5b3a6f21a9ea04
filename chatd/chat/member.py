"""One socket of a known user, from its CONNECT to its end. Rules C-03, C-05, C-09, C-13 of protocol.md."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Protocol

from chatd.auth import AuthCode, Identity
from chatd.base.errors import RefusedError
from chatd.base.timers import Timers
from chatd.chat.messages.audience import rooms_of
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Session
from chatd.socketio.reasons import DisconnectReason
from chatd.socketio.socket import EventName, Reply, Socket

log = logging.getLogger("chatd.chat")


class Router(Protocol):
    """What a member's events go to, and where those that are refused are counted, by code."""

    refused: Counter[str]

    def on_join(self, member: Member) -> None: ...

    def on_leave(self, member: Member) -> None:
        """Called once for each `on_join`."""

    def route(self, member: Author, event: EventName, args: list[object], reply: Reply | None) -> None: ...


class Arrivals(Protocol):
    """Who says when a member enters its rooms, and what it hears before."""

    def on_connect(self, member: Member) -> None: ...

    def on_disconnect(self, member: Member) -> bool:
        """Whether the member had entered."""


class Author(Protocol):
    """Where an event comes from: a Member, or a system of the operator that has no socket (chatd/api/guest.py)."""

    @property
    def identity(self) -> Identity: ...

    @property
    def session(self) -> Session | None:
        """The one that has no echo of what it sends."""

    @property
    def is_there(self) -> bool:
        """Whether an answer still reaches it."""

    @property
    def logged(self) -> dict[str, str]: ...

    def charge(self, price: int) -> None:
        """See Session.charge."""

    def refuse(self, reply: Reply | None, error: RefusedError) -> None: ...

    def expel(self, code: str, message: str) -> None: ...


class Clock(Protocol):
    """Unix seconds."""

    def __call__(self) -> float: ...


class Member:
    """The handler of one socket. Its deadline is the end of its token."""

    __slots__ = ("_arrivals", "_clock", "_router", "_timers", "due_tick", "identity", "session", "socket")

    def __init__(
        self, socket: Socket, identity: Identity, router: Router, arrivals: Arrivals, timers: Timers, clock: Clock
    ) -> None:
        self.due_tick = 0
        self.socket = socket
        self.session: Session | None = socket.session
        self.identity = identity
        self._router = router
        self._arrivals = arrivals
        self._timers = timers
        self._clock = clock

    @property
    def logged(self) -> dict[str, str]:
        """Who it is, for the log."""
        return {"user": self.identity.user, "sid": self.socket.session.logged_sid}

    @property
    def is_there(self) -> bool:
        return self.socket.joined

    def charge(self, price: int) -> None:
        """See Session.charge."""
        self.socket.session.charge(price)

    def on_connect(self) -> None:
        self.await_expiry()
        self._arrivals.on_connect(self)

    def enter(self) -> None:
        """Join the rooms: from now on the socket gets their messages."""
        for room in rooms_of(self.identity.user, is_admin=self.identity.is_admin):
            self.socket.join(room)
        self._router.on_join(self)

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        self._router.route(self, event, args, reply)

    def on_disconnect(self, reason: DisconnectReason) -> None:
        self._timers.cancel(self)
        if self._arrivals.on_disconnect(self):
            self._router.on_leave(self)

    def on_deadline(self) -> None:
        """The token has expired, unless the wall clock was set back since.

        The session ends in the way that makes a client come back: with a fresh cookie it is in again, with the old
        one it is told `token_expired`.
        """
        if self.identity.expires_at is not None and self._clock() < self.identity.expires_at:
            self.await_expiry()
            return
        log.info("token expired", extra=self.logged)
        self.expel(AuthCode.TOKEN_EXPIRED, "The token has expired.")

    def refuse(self, reply: Reply | None, error: RefusedError) -> None:
        """Tell the sender that a message was refused: by acknowledgement if it asked for one, else by event."""
        self._router.refused[error.code] += 1
        refused = {"code": error.code, "message": error.message, **error.details}
        if reply is not None:
            reply({"ok": False, "error": refused})
        else:
            self.socket.emit("mensaje_error", refused)

    def expel(self, code: str, message: str) -> None:
        """Say why, and end the session in the way after which a client comes back: the door has the last word."""
        self.socket.emit("desconexion", {"code": code, "message": message})
        self.socket.session.close(CloseReason.RECONNECT)

    def await_expiry(self) -> None:
        """Set the deadline by the wall clock as it is now."""
        if self.identity.expires_at is not None:
            self._timers.arm(self, self.identity.expires_at - self._clock())
