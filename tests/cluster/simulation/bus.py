"""A model of Redis Pub/Sub: at most once, in order on each connection, with outages."""

from __future__ import annotations

import random
from collections.abc import Callable

from chatd.cluster.core.frame import Call, Codec, News
from tests.cluster.simulation.clock import Clock, Link
from tests.cluster.simulation.message import Said
from tests.cluster.simulation.plan import Plan

Frame = News[Said] | Call
CODEC = Codec(Said, 1_000_000)


class Subscriber:
    """A node's connection to the bus."""

    def __init__(self, clock: Clock, on_frame: Callable[[Frame, int], None], on_cut: Callable[[], None]) -> None:
        self.on_frame = on_frame
        self.on_cut = on_cut
        self.out = Link(clock)
        self.back = Link(clock)
        self.is_open = True
        self.is_deaf = False


class Bus:
    def __init__(self, clock: Clock, luck: random.Random, plan: Plan) -> None:
        self._clock = clock
        self._luck = luck
        self._plan = plan
        self._calm = False
        self._down_until_ms = 0
        self._subscribers: list[Subscriber] = []

    def calm_down(self) -> None:
        """End all faults."""
        self._calm = True

    def subscribe(self, subscriber: Subscriber) -> bool:
        """Return whether the bus is up."""
        if self._clock.now_ms < self._down_until_ms:
            return False
        self._subscribers.append(subscriber)
        return True

    def cut(self, subscriber: Subscriber) -> None:
        """Close a connection and tell its node."""
        if subscriber.is_open:
            subscriber.is_open = False
            self._subscribers = [one for one in self._subscribers if one is not subscriber]
            self._clock.after(0, subscriber.on_cut)

    def go_down(self, length_ms: int) -> None:
        self._down_until_ms = max(self._down_until_ms, self._clock.now_ms + length_ms)
        for subscriber in list(self._subscribers):
            self.cut(subscriber)

    def publish(self, subscriber: Subscriber, frame: Frame) -> None:
        """Publish on the connection of `subscriber`; the frame is lost if the connection is closed."""
        if subscriber.is_open:
            data = CODEC.encode(frame)
            subscriber.out.send(self._delay_ms(), self._spread, subscriber, data)

    def _spread(self, sender: Subscriber, data: bytes) -> None:
        if not sender.is_open:
            return
        frame = CODEC.decode(data)
        for subscriber in self._subscribers:
            for _ in range(self._copies()):
                subscriber.back.send(self._delay_ms(), self._arrive, subscriber, frame, len(data))

    def _arrive(self, subscriber: Subscriber, frame: Frame, size_bytes: int) -> None:
        if subscriber.is_open and not subscriber.is_deaf:
            subscriber.on_frame(frame, size_bytes)

    def _copies(self) -> int:
        if self._calm:
            return 1
        chance = self._luck.random()
        if chance < self._plan.drops:
            return 0
        return 2 if chance > 1 - self._plan.doubles else 1

    def _delay_ms(self) -> int:
        return self._luck.randrange(self._plan.bus_ms)
