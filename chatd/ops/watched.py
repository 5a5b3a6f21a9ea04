"""The objects of a daemon that metrics read; chatd/daemon/floors.py passes them in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from chatd.base.part import Counts
from chatd.engineio.outbox import Outbox
from chatd.engineio.request import TransportName
from chatd.engineio.server import EngineServer
from chatd.ops.desk import Desk
from chatd.socketio.namespace import Namespace
from chatd.socketio.server import SocketIoServer
from chatd.store.base import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The sources of metrics: objects with counters, and functions that read numbers."""

    engine: EngineServer
    socketio: SocketIoServer
    namespace: Namespace
    outbox: Outbox
    store: Store
    desk: Desk
    users: Callable[[], int]
    """The number of users online, including admins."""
    admins: Callable[[], int]
    """The number of connected sockets of admins."""
    refusals: Mapping[str, Counts]
    """Refusals by layer, then by limit."""
    shown: Callable[[str], object | None]
    """Returns what a part shows its metrics; None while it is off."""
    fault: Callable[[], str | None]
    """Returns why no client should come to this daemon; None if no part has a reason."""
    worry: Callable[[], str | None]
    """Returns what is wrong with a part while clients may come."""

    def sessions(self) -> dict[str, int]:
        """The number of sessions of each transport. Costs O(sessions)."""
        counts = {name.value: 0 for name in TransportName}
        for session in self.engine.sessions.values():
            counts[session.transport.name] += 1
        return counts

    def disconnects(self) -> dict[str, int]:
        return {reason.value: count for reason, count in self.socketio.ended.items()}
