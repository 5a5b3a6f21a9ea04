"""What is delivered here is told to the Node.js nodes; while Redis is away it waits, within bounds.

Rules N-32 and N-39.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from chatd.base.timers import Timers

MAX_WAITING_BYTES: Final = 4_194_304

RETRY_S: Final = 0.1

RESUME_S: Final = 8.0
"""How long Redis is back before what has waited is published. By then the others have subscribed again: npm's redis
waits for up to 2.2 s between two attempts. On a busy machine 2.5 s were too few for a Node.js node, and once 4 s.
"""

Publish = Callable[[str, bytes], bool]


class Teller:
    """Publishes in order. `publish` says whether it took something: see RedisClient.publish."""

    def __init__(self, timers: Timers, publish: Publish, max_waiting: int) -> None:
        self.due_tick = 0
        self.told = 0
        self.dropped = 0  # because too much waited
        self._timers = timers
        self._publish = publish
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._waiting_bytes = 0
        self._is_open = False

    def tell(self, channel: str, data: bytes) -> None:
        """Never blocks, never raises."""
        if self._is_open and not self._waiting and self._publish(channel, data):
            self.told += 1
            return
        self._waiting.append((channel, data))
        self._waiting_bytes += len(data)
        while len(self._waiting) > self._max_waiting or self._waiting_bytes > MAX_WAITING_BYTES:
            self._take_oldest()
            self.dropped += 1
        if self._is_open and not self.due_tick:
            self._timers.arm(self, RETRY_S)

    def open(self, *, after_outage: bool) -> None:
        """Redis is there."""
        if after_outage:
            self._timers.arm(self, RESUME_S)
        else:
            self.on_deadline()

    def close(self) -> None:
        """Redis is away, or nothing more is told. Idempotent."""
        self._is_open = False
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        """Publish what waits, as far as Redis takes it."""
        self._is_open = True
        while self._waiting:
            if not self._publish(*self._waiting[0]):
                self._timers.arm(self, RETRY_S)
                return
            self._take_oldest()
            self.told += 1

    def _take_oldest(self) -> None:
        self._waiting_bytes -= len(self._waiting.popleft()[1])
