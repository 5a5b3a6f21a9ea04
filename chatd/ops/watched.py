"""The parts of a daemon that metrics read, as app.py hands them over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from chatd.base.histogram import Histogram
from chatd.engineio.outbox import Outbox
from chatd.engineio.request import TransportName
from chatd.engineio.server import EngineServer
from chatd.ops.desk import Desk
from chatd.socketio.namespace import Namespace
from chatd.socketio.server import SocketIoServer
from chatd.store.base import Store

Counts = Callable[[], Iterable[tuple[str, int]]]
"""Numbers by name, that only grow."""


class Nodes(Protocol):
    """What metrics read of several nodes, as one of them sees it."""

    @property
    def fault(self) -> str | None:
        """What keeps this one from being as far as the others, in words; None if nothing does."""

    @property
    def bus_is_up(self) -> bool: ...

    @property
    def outages(self) -> int:
        """Of the bus, since the start."""

    @property
    def connects(self) -> int:
        """To Redis, since the start."""

    def traffic(self) -> Iterable[tuple[str, int]]:
        """Messages of the bus since the start, by outcome."""

    @property
    def unanswered(self) -> int:
        """Questions to another node that had no answer in time, since the start."""

    @property
    def silent_s(self) -> Mapping[int, float]:
        """Seconds since the last frame of each other living node."""

    @property
    def missing(self) -> Mapping[int, int]:
        """Of each other node that is there: messages of it that are not delivered here yet, at least."""

    @property
    def healed(self) -> int:
        """Messages of other nodes that came from the database, since the start."""

    @property
    def living(self) -> int:
        """Nodes that are there, with this one."""

    @property
    def behind(self) -> int:
        """Nodes of which something is known to be missing."""


class Neighbours(Protocol):
    """What metrics read of Node.js nodes."""

    @property
    def is_up(self) -> bool:
        """Whether their Redis is there."""

    @property
    def outages(self) -> int:
        """Of their Redis, since the start."""

    def traffic(self) -> Iterable[tuple[str, int]]:
        """Messages from and to Node.js nodes since the start, by outcome."""


class HookState(Protocol):
    """What metrics read of one webhook."""

    @property
    def name(self) -> str: ...

    @property
    def is_off(self) -> bool:
        """Whether its receiver has switched it off."""

    @property
    def unfinished(self) -> int:
        """Events that were read ahead and are not done."""

    @property
    def behind_s(self) -> float:
        """How old the first of them is."""

    def outcomes(self) -> Iterable[tuple[str, int]]:
        """What became of events, since the start."""


class KeyProvider(Protocol):
    """What metrics read of an identity provider."""

    @property
    def keys(self) -> Sequence[object]:
        """Those that tokens may be signed with."""

    @property
    def age_s(self) -> float:
        """How old its last answer is; NaN if there is none."""

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How often it was asked, by outcome."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in words; None while it answers."""

    @property
    def keeps_all_out(self) -> bool:
        """Whether there is no key at all."""


class Team(Protocol):
    """What metrics read of a team of admins."""

    first_answer_s: Histogram
    answer_s: Histogram
    waiting: int
    """Users without an answer, as it was seconds ago."""
    longest_s: float
    """How long the first of them has waited."""
    claimed: int
    """Conversations that an admin is on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The sources of metrics: the parts that count, and functions that read their numbers. Nothing is counted twice."""

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
    """The number of users online, including admins."""
    admins: Callable[[], int]
    """Sockets of admins, at this moment."""
    refusals: dict[str, Counts]
    """Refusals by layer, then by limit."""
    nodes: Nodes | None = None
    """Where there are several."""
    neighbours: Neighbours | None = None
    """Where there are any."""
    team: Team | None = None
    """Where the admins are one."""
    hooks: list[HookState] = dataclasses.field(default_factory=list)
    """Webhooks that are configured; a reload changes them."""
    providers: list[KeyProvider] = dataclasses.field(default_factory=list)
    """The identity provider, if there is one."""

    def sessions(self) -> dict[str, int]:
        """How many there are of each transport. Costs a look at each."""
        counts = {name.value: 0 for name in TransportName}
        for session in self.engine.sessions.values():
            counts[session.transport.name] += 1
        return counts

    def disconnects(self) -> dict[str, int]:
        return {reason.value: count for reason, count in self.socketio.ended.items()}
