"""What there is to see in a daemon: the parts that count, as app.py hands them over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from chatd.engineio.outbox import Outbox
from chatd.engineio.request import TransportName
from chatd.engineio.server import EngineServer
from chatd.ops.desk import Desk
from chatd.socketio.namespace import Namespace
from chatd.socketio.server import SocketIoServer
from chatd.store.base import Store

Counts = Callable[[], Iterable[tuple[str, int]]]
"""Numbers by name, that only grow."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Nothing here is counted twice: who looks reads the numbers of whoever counts."""

    engine: EngineServer
    socketio: SocketIoServer
    namespace: Namespace
    outbox: Outbox
    store: Store
    desk: Desk
    recoveries: Counts
    """Clients that said how far they had come, by whether everything since was sent."""
    events: Callable[[], int]
    """Events that clients have sent, since the start."""
    users: Callable[[], int]
    """Users who are connected, at this moment; admins are users."""
    admins: Callable[[], int]
    """Sockets of admins, at this moment."""
    refusals: dict[str, Counts]
    """By who refuses, then by what for."""

    def sessions(self) -> dict[str, int]:
        """How many there are of each transport. Costs a look at each."""
        counts = {name.value: 0 for name in TransportName}
        for session in self.engine.sessions.values():
            counts[session.transport.name] += 1
        return counts

    def disconnects(self) -> dict[str, int]:
        return {reason.value: count for reason, count in self.socketio.ended.items()}
