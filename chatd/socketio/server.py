"""The Socket.IO server: namespaces over the sessions of an Engine.IO server."""

from __future__ import annotations

import logging

from chatd.base.refusals import Refusals
from chatd.base.tasks import Tasks
from chatd.base.timers import Timers
from chatd.engineio.outbox import Outbox
from chatd.engineio.reasons import CloseReason
from chatd.engineio.session import Session
from chatd.socketio.client import Client
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.limits import SocketLimit
from chatd.socketio.namespace import Accept, Namespace


class SocketIoServer:
    """Namespaces by name. `accept` is the hook for `EngineHooks`."""

    def __init__(self, config: SocketIoConfig, timers: Timers, outbox: Outbox) -> None:
        self.config = config
        self.timers = timers
        self.tasks = Tasks()
        self.namespaces: dict[str, Namespace] = {}
        self.refusals = Refusals(SocketLimit, timers.now, logging.getLogger("chatd.socketio"))
        self.ended = dict.fromkeys(CloseReason, 0)  # sessions that ended, by reason
        self._outbox = outbox

    def namespace(self, name: str, accept: Accept) -> Namespace:
        """Open the namespace `name`; `accept` admits its sockets."""
        namespace = self.namespaces[name] = Namespace(name, accept, self.timers, self._outbox)
        return namespace

    def accept(self, session: Session) -> Client:
        return Client(session, self)
