"""A shell around the core in virtual time, like the real one: it can be killed and suspended."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from chatd.cluster.core import epoch
from chatd.cluster.core.epoch import Reservation
from chatd.cluster.core.frame import Call, News
from chatd.cluster.core.heal import Read
from chatd.cluster.core.node import Act, Node, Poll
from chatd.cluster.core.replay import Delivery
from chatd.cluster.core.vector import Vector, origin_of
from tests.cluster.simulation.around import Surroundings
from tests.cluster.simulation.bus import Frame, Subscriber
from tests.cluster.simulation.client import Connection
from tests.cluster.simulation.database import PAGE_ROWS, Writer
from tests.cluster.simulation.desk import Desk
from tests.cluster.simulation.ids import Ids
from tests.cluster.simulation.message import Said
from tests.cluster.simulation.plan import Deliver

TICK_MS = 100


class Life(enum.Enum):
    STARTING = "starting"
    RUNNING = "running"
    DEAD = "dead"


class Process:
    def __init__(self, number: int, skew_ms: int, around: Surroundings) -> None:
        self.number = number
        self.life = Life.STARTING
        self.node: Node[Said] | None = None
        self.subscriber: Subscriber | None = None
        self._deliver = around.deliver
        self._clock = around.clock
        self._luck = around.luck
        self._database = around.database
        self._bus = around.bus
        self._verdict = around.verdict
        self._skew_ms = skew_ms
        self._writer: Writer | None = None
        self._epochs: Vector = {}  # the latest known epoch of each origin
        self._frozen = False
        self._backlog: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._desk = Desk(around, self._answer)
        self._queue: list[Said] = []
        self._unsaid = 0  # messages that have an id, and are not published yet
        self._commits = False
        self._database.lock(number, self._on_lock)

    # Kill and suspend.

    def kill(self) -> None:
        self.life = Life.DEAD
        self._backlog.clear()
        if self._writer is not None:
            self._database.disconnect(self._writer)
        if self.subscriber is not None:
            self._bus.cut(self.subscriber)
        self._desk.close()

    def displace(self, length_ms: int) -> None:
        """Suspend it so long that the database gives its lock to another."""
        self.freeze(length_ms)
        if self._writer is not None:
            self._database.disconnect(self._writer)

    def freeze(self, length_ms: int) -> None:
        if not self._frozen and self.life is not Life.DEAD:
            self._frozen = True
            self._clock.after(length_ms, self._thaw)

    def _thaw(self) -> None:
        self._frozen = False
        backlog, self._backlog = self._backlog, []
        for call, args in backlog:
            self._happen(call, *args)

    def _happen(self, call: Callable[..., None], *args: Any) -> None:
        """Run a call of the process: later if it is suspended, never if it is dead."""
        if self._frozen:
            self._backlog.append((call, args))
        elif self.life is not Life.DEAD:
            call(*args)

    def _later(self, delay_ms: int, call: Callable[..., None], *args: Any) -> None:
        self._clock.after(delay_ms, self._happen, call, *args)

    def _answer(self, call: Callable[..., None], *first: Any) -> Callable[..., None]:
        return lambda *args: self._happen(call, *first, *args)

    # Start.

    def _on_lock(self, writer: Writer) -> None:
        if self.life is Life.DEAD:
            self._database.disconnect(writer)
            return
        self._writer = writer
        self._happen(self._look)

    def _look(self) -> None:
        """Read the table of nodes under the lock."""
        table = self._database
        first = dict(table.first)
        applied = {one: table.greatest_of(one) or start for one, start in first.items()}
        self._epoch = epoch.begin(self.number, table.greatest, table.reserved.get(self.number, 0))
        self._ids = Ids(self.number, self._epoch, self._clock, self._skew_ms)
        self._reservation = Reservation(self.number, self._epoch)
        self._reserve(self._answer(self._on_registered, applied, first))

    def _on_registered(self, applied: Vector, first: Vector, done: bool) -> None:
        self._reservation.done(written=done)
        if not done:
            self._later(100, self._look)
            return
        first.setdefault(self.number, self._epoch)
        self.node = Node(self.number, self._epoch, applied, first, self._clock.now_s)
        self.life = Life.RUNNING
        self._connect()
        self._later(self._luck.randrange(TICK_MS), self._tick)

    def _reserve(self, done: Callable[[bool], None]) -> None:
        upto = self._reservation.ask(self._ids.now)
        if upto is not None and self._writer is not None:
            self._database.write(self._writer, lambda: self._write_reservation(upto), done)

    def _end_without_lock(self) -> bool:
        """Another process may have had the number meanwhile, so this one must end."""
        if self._writer is not None and self._writer.is_open:
            return False
        self._verdict.met["the lock was lost"] += 1
        self.kill()
        return True

    def _on_reserved(self, done: bool) -> None:
        if self._end_without_lock():
            return
        self._reservation.done(written=done)
        if done:
            self._core.learn(dict(self._database.first))

    def _write_reservation(self, upto: int) -> None:
        table = self._database
        table.first.setdefault(self.number, self._epoch)
        table.reserved[self.number] = max(upto, table.reserved.get(self.number, 0))

    # The bus.

    def _connect(self) -> None:
        subscriber = Subscriber(self._clock, self._answer(self._on_frame), self._answer(self._on_cut))
        if self._bus.subscribe(subscriber):
            self.subscriber = subscriber
            self._later(5, self._on_subscribed, subscriber)
        else:
            self._later(100, self._connect)

    def _on_subscribed(self, subscriber: Subscriber) -> None:
        if subscriber.is_open:
            self._publish(self._core.bus_came_up(self._clock.now_s))

    def _on_cut(self) -> None:
        self._core.bus_went_down()
        self._later(20, self._connect)

    def _on_frame(self, frame: Frame, size_bytes: int) -> None:
        if isinstance(frame, News):
            self._epochs[frame.origin] = max(frame.epoch, self._epochs.get(frame.origin, 0))
        self._give(self._core.on_frame(frame, size_bytes, self._clock.now_s))
        if frame.origin == self.number:
            self._decide()  # the frame may be of another process with its number

    def _publish(self, frame: News[Said] | Call) -> None:
        if self.subscriber is not None:
            self._bus.publish(self.subscriber, frame)

    def _flush(self) -> None:
        while (news := self._core.flush(self._clock.now_s)) is not None:
            self._publish(news)

    # Decisions.

    @property
    def _core(self) -> Node[Said]:
        assert self.node is not None
        return self.node

    def _tick(self) -> None:
        self._decide()
        if self.life is Life.RUNNING:
            self._reserve(self._answer(self._on_reserved))
        self._later(TICK_MS, self._tick)

    def _decide(self) -> None:
        for decision in self._core.tick(self._clock.now_s):
            self._verdict.met[decision.name if isinstance(decision, Act) else type(decision).__name__] += 1
            match decision:
                case Act.BEAT:
                    self._publish(self._core.beat(self._promise(), self._clock.now_s))
                case Read(origin, after, upto):
                    self._read(decision, origin, after, upto)
                case Poll(after=after):
                    self._poll(after)
                case Act.RECONNECT:
                    assert self.subscriber is not None
                    self._bus.cut(self.subscriber)
                case Act.DISPLACED:
                    self.kill()

    def _promise(self) -> int | None:
        if self._unsaid or not self._reservation.allows(self._ids.now):
            return None
        return self._ids.next()

    def _read(self, read: Read, origin: int, after: int, upto: int) -> None:
        self._database.ask(
            lambda: self._database.read(after, upto, lambda said: origin_of(said.id) == origin, PAGE_ROWS),
            self._answer(self._on_rows, read),
        )

    def _on_rows(self, read: Read, rows: list[Said] | None) -> None:
        if rows is None:
            self._core.on_read_failed(read, self._clock.now_s)
        else:
            self._give(self._core.on_rows(read, rows, rows[-1].id if len(rows) == PAGE_ROWS else read.upto))
            self._decide()

    def _poll(self, after: Vector) -> None:
        def is_new(said: Said) -> bool:
            return said.id > after.get(origin_of(said.id), 0)

        self._database.ask(lambda: self._database.read(0, None, is_new, PAGE_ROWS), self._answer(self._on_polled))

    def _on_polled(self, rows: list[Said] | None) -> None:
        if rows is None:
            self._core.on_poll_failed()
        else:
            self._give(self._core.on_polled(rows, whole=len(rows) < PAGE_ROWS))

    # Messages of its clients.

    def say(self, to: int) -> None:
        self._happen(self._say, to)

    def _say(self, to: int) -> None:
        if self.life is not Life.RUNNING:
            return
        if not self._reservation.allows(self._ids.next()):
            self._verdict.met["refused for want of a reservation"] += 1
            return
        said = Said(self._ids.next(), to)
        self._queue.append(said)
        self._unsaid += 1
        if self._deliver is Deliver.AT_ONCE:
            self._tell(said)
            self._later(0, self._flush)
        self._commit()

    def _tell(self, said: Said) -> None:
        self._unsaid -= 1
        self._give([self._core.say(said, 1)])

    def _commit(self) -> None:
        if self._queue and not self._commits and self._writer is not None:
            self._commits = True
            group, self._queue = self._queue, []
            self._database.commit(self._writer, group, self._answer(self._on_committed, group))

    def _on_committed(self, group: list[Said], stored: bool) -> None:
        self._commits = False
        if self._end_without_lock():
            return
        if self._deliver is Deliver.STORED:
            for said in group:
                if stored:
                    self._tell(said)
                else:
                    self._unsaid -= 1
        self._core.settle(group[-1].id)
        self._flush()
        self._commit()

    # Its clients.

    def accept(self, connection: Connection, text: str | None) -> None:
        self._happen(lambda: self._desk.open(self._core, connection, text))

    def forget(self, connection: Connection) -> None:
        self._happen(self._desk.forget, connection)

    def _give(self, deliveries: list[Delivery[Said]]) -> None:
        for delivery in deliveries:
            self._check(delivery.item)
        self._desk.give(deliveries)

    def _check(self, said: Said) -> None:
        """After the start of an origin's new process, no unstored message of the old one may be delivered."""
        if said.id <= self._epochs.get(origin_of(said.id), 0) and said.id not in self._database.rows:
            self._verdict.add("ghost", self.number, said.id)
