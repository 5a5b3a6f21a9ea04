"""Whether all who listened before Redis went away listen again: then what has waited for them is published.

Redis counts the subscribers of a channel that every node, chatd or Node.js, listens to. Only another Redis than before
is believed: one that goes on still counts connections that were cut and that it has not missed yet. Rule N-39.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol

from chatd.base.timers import Timers
from chatd.cluster.redis.wire import Command

COUNT_S: Final = 1.0
"""Who comes and goes between two counts is not seen."""

WAIT_S: Final = 0.25
"""The same while some are awaited. All have to be there twice: a node subscribes with several commands."""

# https://redis.io/docs/latest/commands/info/: another one in each process.
_RUN: Final = re.compile(rb"^run_id:(\w+)", re.MULTILINE)


class Waits(Protocol):
    """Has something for those who are awaited."""

    @property
    def is_open(self) -> bool:
        """It publishes, and does not wait any more."""

    def meet(self, *, another: bool) -> None:
        """It is known whether it is another Redis than before."""

    def resume(self) -> None:
        """All are there."""


Ask = Callable[..., None]
"""See RedisClient.ask."""


class Attendance:
    """Counts the subscribers of `channel`."""

    def __init__(self, timers: Timers, ask: Ask, channel: str, teller: Waits) -> None:
        self.due_tick = 0
        self._timers = timers
        self._ask = ask
        self._channel = channel
        self._teller = teller
        self._run: bytes | None = None  # which Redis
        self._is_another = False
        self._before: int | None = None  # how many there were
        self._seen = 0  # how often in a row as many as before

    def open(self) -> None:
        """Redis is there."""
        self._seen = 0
        self._is_another = False
        self._ask(self._on_info, Command.INFO, "server")
        self.on_deadline()

    def close(self) -> None:
        """Stop counting: Redis is down, or the link is closed. Idempotent."""
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        self._ask(self._on_count, Command.PUBSUB, "NUMSUB", self._channel)
        self._timers.arm(self, COUNT_S if self._teller.is_open else WAIT_S)

    def _on_info(self, told: Any) -> None:
        found = _RUN.search(told) if isinstance(told, bytes) else None
        run = None if found is None else found[1]
        self._is_another = run is not None and self._run not in (None, run)
        self._run = run
        self._teller.meet(another=self._is_another)

    def _on_count(self, told: Any) -> None:
        match told:
            case [_, int(count)]:
                self._count(count)
            case _:
                self._before = None

    def _count(self, count: int) -> None:
        if self._teller.is_open:
            self._before = count
        elif self._is_another and self._before is not None:
            self._seen = self._seen + 1 if count >= self._before else 0
            if self._seen == 2:
                self._teller.resume()
