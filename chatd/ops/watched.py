"""The parts of a daemon that metrics read; app.py passes them in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from chatd.base.histogram import Histogram
from chatd.base.part import Counts
from chatd.engineio.outbox import Outbox
from chatd.engineio.request import TransportName
from chatd.engineio.server import EngineServer
from chatd.ops.desk import Desk
from chatd.socketio.namespace import Namespace
from chatd.socketio.server import SocketIoServer
from chatd.store.base import Store


class Nodes(Protocol):
    """The cluster of nodes as this node sees it: what metrics read."""

    @property
    def fault(self) -> str | None:
        """Why this node is behind the others, as a sentence; None if it is not."""

    @property
    def bus_is_up(self) -> bool: ...

    @property
    def outages(self) -> int:
        """Lost connections to Redis, since the start."""

    @property
    def connects(self) -> int:
        """Connections made to Redis, since the start."""

    def traffic(self) -> Iterable[tuple[str, int]]:
        """Messages of the bus since the start, by outcome."""

    @property
    def unanswered(self) -> int:
        """Requests to another node that had no answer in time, since the start."""

    @property
    def silent_s(self) -> Mapping[int, float]:
        """Seconds since the last frame of each other living node."""

    @property
    def missing(self) -> Mapping[int, int]:
        """For each other living node: the least number of its messages that are not delivered here yet."""

    @property
    def healed(self) -> int:
        """Messages of other nodes that were read from the database because the bus lost them, since the start."""

    @property
    def living(self) -> int:
        """Living nodes, this one included."""

    @property
    def behind(self) -> int:
        """Nodes of which at least one message is missing here."""


class Neighbours(Protocol):
    """The link to Node.js nodes: what metrics read."""

    @property
    def is_up(self) -> bool:
        """Whether their Redis is connected."""

    @property
    def outages(self) -> int:
        """Lost connections to their Redis, since the start."""

    def traffic(self) -> Iterable[tuple[str, int]]:
        """Messages from and to Node.js nodes since the start, by outcome."""


class HookState(Protocol):
    """One webhook: what metrics read."""

    @property
    def name(self) -> str: ...

    @property
    def is_off(self) -> bool:
        """Whether its receiver has switched it off (status 410)."""

    @property
    def unfinished(self) -> int:
        """Events that are read from the database and not delivered yet."""

    @property
    def behind_s(self) -> float:
        """Age of the oldest event that is not delivered, in seconds."""

    def outcomes(self) -> Iterable[tuple[str, int]]:
        """Counts of events by outcome, since the start."""


class KeyProvider(Protocol):
    """An identity provider: what metrics read."""

    @property
    def keys(self) -> Sequence[object]:
        """The keys that are accepted in tokens."""

    @property
    def age_s(self) -> float:
        """Age of its last answer in seconds; NaN without an answer."""

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Requests to it, by outcome."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it, as a sentence; None while it answers."""

    @property
    def has_no_keys(self) -> bool:
        """Whether no key is known, so that no user can join."""


class Team(Protocol):
    """A team of admins: what metrics read."""

    first_answer_s: Histogram
    answer_s: Histogram
    waiting: int
    """Users without an answer, as counted some seconds ago."""
    longest_s: float
    """The longest wait of these users, in seconds."""
    claimed: int
    """Conversations that an admin has claimed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The sources of metrics: objects with counters, and functions that read numbers."""

    engine: EngineServer
    socketio: SocketIoServer
    namespace: Namespace
    outbox: Outbox
    store: Store
    desk: Desk
    recoveries: Counts
    """Clients that reconnected with a position, by whether every message since was sent."""
    events: Callable[[], int]
    """Events that clients have sent, since the start."""
    users: Callable[[], int]
    """The number of users online, including admins."""
    admins: Callable[[], int]
    """The number of connected sockets of admins."""
    refusals: Mapping[str, Counts]
    """Refusals by layer, then by limit."""
    parts: Mapping[str, Any]
    """What parts show, by name: see Part in chatd/base/part.py."""

    @property
    def nodes(self) -> Nodes | None:
        """None without --bus."""
        return self.parts.get("nodes")

    @property
    def neighbours(self) -> Neighbours | None:
        """None without --bus-adapter."""
        return self.parts.get("neighbours")

    @property
    def team(self) -> Team | None:
        """None unless the admins form a team."""
        return self.parts.get("team")

    @property
    def hooks(self) -> Sequence[HookState]:
        """Webhooks that are configured; a reload changes them."""
        hooks: Sequence[HookState] = self.parts.get("hooks", ())
        return hooks

    @property
    def providers(self) -> Sequence[KeyProvider]:
        """The identity provider, if there is one."""
        providers: Sequence[KeyProvider] = self.parts.get("providers", ())
        return providers

    def sessions(self) -> dict[str, int]:
        """The number of sessions of each transport. Costs O(sessions)."""
        counts = {name.value: 0 for name in TransportName}
        for session in self.engine.sessions.values():
            counts[session.transport.name] += 1
        return counts

    def disconnects(self) -> dict[str, int]:
        return {reason.value: count for reason, count in self.socketio.ended.items()}
