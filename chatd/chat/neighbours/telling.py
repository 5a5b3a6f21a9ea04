"""What is delivered here is told to the Node.js nodes; while Redis is away it waits, within bounds.

Rules N-32 and N-39.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from chatd.base.timers import Timers

MAX_WAITING_BYTES: Final = 4_194_304

RETRY_S: Final = 0.1

RESUME_S: Final = 8.0
"""How long Redis is back before what has waited is published, unless all are known to be back before (attendance.py).
npm's redis waits for up to 2.2 s between two attempts. On a busy machine 2.5 s were too few for a Node.js node, and
once 4 s.
"""


class Redis(Protocol):
    """See RedisClient."""

    @property
    def unconfirmed(self) -> int: ...

    def publish(self, channel: str, data: bytes) -> bool: ...


class Frames:
    """The last that were added, within bounds: so many, and so many bytes."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._frames: deque[tuple[str, bytes]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def oldest(self) -> tuple[str, bytes]:
        return self._frames[0]

    def add(self, channel: str, data: bytes) -> int:
        """How many had to go for it."""
        self._frames.append((channel, data))
        self._bytes += len(data)
        gone = 0
        while len(self._frames) > self._max_frames or self._bytes > MAX_WAITING_BYTES:
            self.take_oldest()
            gone += 1
        return gone

    def take_oldest(self) -> tuple[str, bytes]:
        frame = self._frames.popleft()
        self._bytes -= len(frame[1])
        return frame


class Teller:
    """Publishes in order."""

    def __init__(self, timers: Timers, redis: Redis, max_waiting: int) -> None:
        self.due_tick = 0
        self.told = 0  # publications: what is told again counts again
        self.dropped = 0  # because too much waited
        self._timers = timers
        self._redis = redis
        self._max_waiting = max_waiting
        self._waiting = Frames(max_waiting)
        self._unsure = Frames(max_waiting)  # published, and not confirmed
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """It publishes at once, whatever comes."""
        return self._is_open

    def tell(self, channel: str, data: bytes) -> None:
        """Never blocks, never raises."""
        if self._is_open and not self._waiting and self._publish(channel, data):
            return
        self.dropped += self._waiting.add(channel, data)
        if self._is_open and not self.due_tick:
            self._timers.arm(self, RETRY_S)

    def open(self, *, after_outage: bool) -> None:
        """Redis is there."""
        if after_outage:
            self._timers.arm(self, RESUME_S)
        else:
            self.on_deadline()

    def meet(self, *, another: bool) -> None:
        """It is known whether this Redis is another one than before, before anything is published there.

        What a Redis that has ended did not confirm is lost, and told again. One that goes on may yet do what it was
        told, so that would come twice.
        """
        if self._is_open:
            return  # for the first time: nothing was told before
        unsure, self._unsure = self._unsure, Frames(self._max_waiting)
        if another and len(unsure):
            waiting, self._waiting = self._waiting, Frames(self._max_waiting)
            for frames in (unsure, waiting):
                while frames:
                    self.dropped += self._waiting.add(*frames.take_oldest())

    def resume(self) -> None:
        """All are there: what has waited since Redis was away need not wait longer."""
        self._timers.cancel(self)
        self.on_deadline()

    def close(self) -> None:
        """Stop publishing: Redis is down, or the link is closed. Idempotent."""
        self._forget_confirmed()
        self._is_open = False
        self._timers.cancel(self)

    def on_deadline(self) -> None:
        """Publish what waits, as far as Redis takes it."""
        self._is_open = True
        while self._waiting:
            if not self._publish(*self._waiting.oldest):
                self._timers.arm(self, RETRY_S)
                return
            self._waiting.take_oldest()

    def _publish(self, channel: str, data: bytes) -> bool:
        if not self._redis.publish(channel, data):
            return False
        self.told += 1
        self._unsure.add(channel, data)
        self._forget_confirmed()
        return True

    def _forget_confirmed(self) -> None:
        while len(self._unsure) > self._redis.unconfirmed:
            self._unsure.take_oldest()
