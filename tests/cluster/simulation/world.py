"""A whole run. It depends only on its seed."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from unittest import mock

from chatd.cluster.core import held, receiver
from chatd.cluster.core.vector import Vector, origin_of
from tests.cluster.simulation.around import Surroundings
from tests.cluster.simulation.bus import Bus
from tests.cluster.simulation.client import Client
from tests.cluster.simulation.clock import Clock
from tests.cluster.simulation.database import Database
from tests.cluster.simulation.plan import LOAD_MS, Deliver, Fault, Plan, Strike, make_plan
from tests.cluster.simulation.process import Life, Process
from tests.cluster.simulation.verdict import Verdict

PATIENCE_MS = 20_000
"""The time after the last fault in which every client must be complete."""

CHECK_MS = 300
MAX_SKEW_MS = 1_000

Scheme = Callable[[Vector], Vector]


@contextlib.contextmanager
def small_bounds() -> Iterator[None]:
    """So small that every bound is reached."""
    with mock.patch.object(held, "MAX_HELD_FRAMES", 3), mock.patch.object(receiver, "MAX_WAITING", 3):
        yield


class World:
    def __init__(self, seed: int, plan: Plan, luck: random.Random, scheme: Scheme) -> None:
        self.verdict = Verdict(seed)
        self.plan = plan
        self._luck = luck
        self._clock = Clock()
        self._database = Database(self._clock, luck, plan)
        self._bus = Bus(self._clock, luck, plan)
        self._around = Surroundings(plan.deliver, self._clock, luck, self._database, self._bus, scheme, self.verdict)
        self._restarts = 0  # pending restarts
        self._displaced: list[Process] = []
        self._processes = {number: self._start(number) for number in plan.nodes}
        self.clients = [Client(number, self._clock, luck, self._choose, self.verdict) for number in range(plan.clients)]

    def run(self) -> Verdict:
        for client in self.clients:
            self._clock.after(self._luck.randrange(300), client.connect)
            self._clock.after(self._luck.randrange(1, 2 * self.plan.stay_ms), self._move, client)
        for _ in range(self.plan.messages):
            self._clock.at(self._luck.randrange(LOAD_MS), self._speak)
        for strike in self.plan.strikes:
            self._clock.at(strike.when_ms, self._strike, strike)
        self._clock.run(LOAD_MS)
        self._bus.calm_down()
        self._database.calm_down()
        settled = 0
        while settled < 2 and self._clock.now_ms < LOAD_MS + PATIENCE_MS:
            self._clock.run(self._clock.now_ms + CHECK_MS)
            settled = settled + 1 if self._is_settled() else 0
        self._judge()
        return self.verdict

    # Events.

    def _start(self, number: int) -> Process:
        skew_ms = self._luck.randrange(-MAX_SKEW_MS, MAX_SKEW_MS)
        return Process(number, skew_ms, self._around)

    def _restart(self, number: int) -> None:
        self._restarts -= 1
        process = self._processes[number]
        if process.life is Life.DEAD or process in self._displaced:
            self._processes[number] = self._start(number)

    def _running(self) -> list[Process]:
        """Of two processes with one number, clients may choose either."""
        return [one for one in (*self._processes.values(), *self._displaced) if one.life is Life.RUNNING]

    def _choose(self) -> Process | None:
        running = self._running()
        return self._luck.choice(running) if running else None

    def _speak(self) -> None:
        """Send a message, sometimes several at once."""
        process = self._choose()
        if process is not None:
            for _ in range(self._luck.choice((1, 1, 1, 3))):
                process.say(self._luck.randrange(self.plan.clients))

    def _move(self, client: Client) -> None:
        if self._clock.now_ms < LOAD_MS:
            client.leave()
            self._clock.after(self._luck.randrange(1, 2 * self.plan.stay_ms), self._move, client)

    def _strike(self, strike: Strike) -> None:
        process = self._processes[strike.node]
        match strike.fault:
            case Fault.KILL | Fault.KILL_FOR_GOOD:
                self._kill(process, strike)
            case Fault.DISPLACE if process.life is Life.RUNNING:
                process.displace(strike.length_ms)
                self._displaced.append(process)
                self._restarts += 1
                self._clock.after(20, self._restart, process.number)
            case Fault.FREEZE:
                process.freeze(strike.length_ms)
            case Fault.BUS_DOWN:
                self._bus.go_down(strike.length_ms)
            case Fault.CUT if process.subscriber is not None:
                self._bus.cut(process.subscriber)
            case Fault.DEAF if process.subscriber is not None:
                process.subscriber.is_deaf = True
            case Fault.DATABASE_DOWN:
                self._database.go_down(strike.length_ms)

    def _kill(self, process: Process, strike: Strike) -> None:
        if process.life is Life.DEAD:
            return
        process.kill()
        others = any(one.life is not Life.DEAD for one in self._processes.values())
        if strike.fault is Fault.KILL or not others:
            self._restarts += 1
            self._clock.after(strike.length_ms, self._restart, process.number)

    # Result.

    def _is_settled(self) -> bool:
        return not any(self._open_ends()) and not any(map(self._missing, self.clients))

    def _open_ends(self) -> Iterator[str]:
        """Unfinished work."""
        if self._database.commits_under_way or self._restarts:
            yield f"{self._database.commits_under_way} commits and {self._restarts} restarts"
        for process in self._processes.values():
            node = process.node
            if process.life is not Life.DEAD and (node is None or not node.is_ready):
                yield f"node {process.number} {process.life.value} {node and (node.bus, node.behind)}"
        for client in self.clients:
            if not client.is_up_to_date:
                yield f"client {client.number}"

    def _missing(self, client: Client) -> list[int]:
        """Stored messages that the client should have and does not have."""
        start = client.start or {}
        return [
            said.id
            for said in self._database.rows.values()
            if client.concerns(said) and said.id > start.get(origin_of(said.id), 0) and said.id not in client.seen
        ]

    def _judge(self) -> None:
        for what in self._open_ends():
            self.verdict.add("stuck", what)
        for client in self.clients:
            self.verdict.deliveries += len(client.seen)
            for message_id in self._missing(client):
                self.verdict.add("lost", client.number, message_id, origin_of(message_id))
            if self.plan.deliver is Deliver.STORED:
                for message_id in client.seen - self._database.rows.keys():
                    self.verdict.add("unstored", client.number, message_id)


def exact(position: Vector) -> Vector:
    """The position is used as the client sends it."""
    return position


def simulate(
    seed: int,
    scheme: Scheme = exact,
    *,
    deliver: Deliver | None = None,
    calm: bool = False,
    drops_doubles: bool = False,
) -> Verdict:
    """Run a seed."""
    luck = random.Random(seed)
    plan = make_plan(luck, deliver=deliver, calm=calm)
    with small_bounds():
        world = World(seed, plan, luck, scheme)
        for client in world.clients:
            client.drops_doubles = drops_doubles
        return world.run()
