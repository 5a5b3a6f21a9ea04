"""Whether a load balancer should send clients here."""

from __future__ import annotations

import enum


class Readiness(enum.Enum):
    """Of a daemon, in the order of its life; the values are for people."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class ReadinessGate:
    """Where the daemon says how far it is, and others look. Fails first when it stops, before anything is closed."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = Readiness.STARTING

    @property
    def is_open(self) -> bool:
        return self.state is Readiness.READY
