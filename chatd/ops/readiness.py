"""Whether a load balancer should send clients here."""

from __future__ import annotations

import enum


class Readiness(enum.Enum):
    """The states of a daemon, in order. /readyz shows the value."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class ReadinessGate:
    """The state of the daemon, for /readyz and metrics. A stop changes it first, before anything is closed."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = Readiness.STARTING

    @property
    def is_open(self) -> bool:
        return self.state is Readiness.READY
