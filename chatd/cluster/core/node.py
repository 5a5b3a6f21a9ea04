"""The state machine of one node of a cluster.

A shell calls it for each event, and carries out the decisions that it returns. The shell calls `tick` every 50 to 100
ms, and also after a frame or an answer if a heal should start at once. Times are seconds of a monotonic clock.

    local message    say, then flush in the turn's end            -> frames to publish
    own commit       settle
    frame, rows      on_frame, on_rows, on_read_failed, on_polled -> deliveries, in order
    time             tick                                         -> decisions, see below
    the bus          bus_went_down, bus_came_up
    a client back    join, then what receiver.py says
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from chatd.cluster.core.beat import POLL_S, SILENT_S, Beats, Pulse
from chatd.cluster.core.frame import Call, News
from chatd.cluster.core.heal import Read
from chatd.cluster.core.members import Change, Members
from chatd.cluster.core.publisher import Publisher
from chatd.cluster.core.receiver import Receiver
from chatd.cluster.core.replay import Delivery, Replay, starting_point
from chatd.cluster.core.stream import Stream
from chatd.cluster.core.vector import MAX_ID, MAX_ORIGINS, Identified, Vector, first_of, origin_of

T = TypeVar("T", bound=Identified)

SLEPT_S: Final = 0.5
"""A longer time between two ticks means that this process stalled: other nodes are not to blame for their silence."""


class Act(enum.Enum):
    """Decisions without arguments."""

    BEAT = "beat"
    """Call `beat` and publish its result."""

    RECONNECT = "reconnect"
    """Own frames do not come back: reconnect to the bus, subscribe, then call `bus_came_up`."""

    DISPLACED = "displaced"
    """A newer process has this node's number, so the lock was lost: end this process."""


class Poll(NamedTuple):
    """A question for the rows of every origin above its entry in `after` (all rows without an entry), by id.

    Asked every second while the bus is down, or an origin is silent.
    """

    after: Vector


Decision = Act | Read | Poll | Change


class TooManyOriginsError(ValueError):
    """More node numbers are in use than a position can hold: reuse old ones."""


class Bus(enum.Enum):
    UP = "up"
    DOWN = "down"


class Node(Generic[T]):
    """The node with that number, in one epoch."""

    def __init__(
        self, number: int, epoch: int, applied: Mapping[int, int], first: Mapping[int, int], now_s: float
    ) -> None:
        """The bus is down until `bus_came_up`. Raises TooManyOriginsError.

        `applied`: for each number in the table of nodes or in a row, the greatest id that is visible in the database.
        `first`: where each number's first epoch began, from that table. Both are read under the lock on `number`.
        """
        self.number = number
        self.bus = Bus.DOWN
        self.refused = 0  # frames of origins beyond MAX_ORIGINS
        self._first = first
        self._streams: dict[int, Stream[T]] = {origin: Stream(origin, upto) for origin, upto in applied.items()}
        self._own: Stream[T] = Stream(number, epoch)
        self._own.begin(epoch)
        self._streams[number] = self._own
        if len(self._streams) > MAX_ORIGINS:
            raise TooManyOriginsError(f"{len(self._streams)} nodes have been here; {MAX_ORIGINS} may be")
        self._publisher: Publisher[T] = Publisher(number, epoch)
        self.members = Members((origin for origin in applied if origin != number), now_s)
        self._changes: list[Change] = []
        self._beats = Beats(now_s)
        self._pulse = Pulse()
        self._ticked_s = now_s
        self._polled_s = now_s
        self._polling = False
        self._displaced = False

    @property
    def vector(self) -> Vector:
        """The applied id of each origin: the position of every socket here that has caught up."""
        return {origin: stream.applied for origin, stream in self._streams.items()}

    @property
    def behind(self) -> list[int]:
        """The living origins with published messages that are not applied here."""
        return [origin for origin in self.living if self._streams[origin].is_behind]

    @property
    def missing(self) -> dict[int, int]:
        """For each living origin, the least number of its published messages that are not applied here."""
        return {origin: self._streams[origin].missing for origin in self.living}

    @property
    def living(self) -> list[int]:
        """The other nodes with a valid lease."""
        return self.members.living

    @property
    def is_ready(self) -> bool:
        """Whether the node knows the position of every living node, and is not behind."""
        return self.bus is Bus.UP and self.members.are_compared and not self.behind

    # Its own messages.

    def say(self, item: T, size_bytes: int) -> Delivery[T]:
        """Publish a message of this node. Returns its delivery to sockets here. Ids must grow.

        Called before the commit with `deliver = "at_once"`, after it with "stored".
        """
        self._publisher.say(item, size_bytes)
        self._own.say(item)
        return Delivery(item, self.vector)

    def settle(self, upto: int) -> None:
        """Own messages up to that id are committed, or never will be."""
        self._publisher.settle(upto)
        self._own.settle(upto)

    def flush(self, now_s: float) -> News[T] | None:
        """A frame to publish at the end of a turn; call it until it returns None."""
        news = self._publisher.flush()
        return None if news is None else self._sent(news, now_s)

    def beat(self, promise: int | None, now_s: float) -> News[T]:
        """The frame to publish when `tick` returns BEAT. `promise`: see Publisher.beat."""
        return self._sent(self._publisher.beat(promise), now_s)

    # What comes in.

    def on_frame(self, frame: News[T] | Call, size_bytes: int, now_s: float) -> list[Delivery[T]]:
        """A frame arrived from the bus."""
        if isinstance(frame, Call):
            self._beats.hasten()
            return []
        if frame.origin == self.number:
            self._hear_own(frame.epoch)
            return []
        stream = self._stream(frame.origin)
        if stream is None:
            self.refused += 1
            return []
        if frame.epoch < stream.epoch:
            return []  # from a process that lost its lock; it does not show that the current process lives
        change = self.members.heard(frame.origin, frame.epoch, now_s)
        if change is not None:
            self._changes.append(change)
        return self._deliveries(frame.origin, stream.on_news(frame, size_bytes))

    def on_rows(self, read: Read, rows: Iterable[T], upto: int) -> list[Delivery[T]]:
        """The answer to a Read: `rows` are all rows up to `upto`, which is less than `read.upto` if a page was full."""
        stream = self._streams[read.origin]
        stream.heal.done()
        return self._deliveries(read.origin, stream.on_rows(rows, upto))

    def on_read_failed(self, read: Read, now_s: float) -> None:
        """The database did not answer; the read is repeated after a pause."""
        self._streams[read.origin].heal.failed(now_s)

    def on_polled(self, rows: Iterable[T], *, whole: bool) -> list[Delivery[T]]:
        """The answer to a Poll; `whole` is False if there are more rows, which are then polled at once.

        An origin commits in order, so no row of it is missing below a visible one. Rows of this node are ignored,
        because `say` delivers its messages.
        """
        self._polling = False
        if not whole:
            self._polled_s = -math.inf
        by_origin: dict[int, list[T]] = {}
        for row in rows:
            by_origin.setdefault(origin_of(row.id), []).append(row)
        by_origin.pop(self.number, None)
        deliveries: list[Delivery[T]] = []
        for origin, some in by_origin.items():
            stream = self._stream(origin)
            if stream is not None:
                deliveries += self._deliveries(origin, stream.on_rows(some, some[-1].id))
        return deliveries

    def on_poll_failed(self) -> None:
        """The database did not answer; the next poll follows after POLL_S."""
        self._polling = False

    # Time, and the bus.

    def tick(self, now_s: float) -> list[Decision]:
        """The decisions to carry out now."""
        self._wake(now_s)
        if self.bus is Bus.UP:
            self._changes += self.members.tick(now_s)
        decisions: list[Decision] = [*self._changes]
        self._changes.clear()
        if self._displaced:
            self._displaced = False  # set again while the other process publishes
            decisions.append(Act.DISPLACED)
        if self.bus is Bus.UP and self._pulse.is_deaf(now_s):
            self.bus_went_down()
            decisions.append(Act.RECONNECT)
        if self.bus is Bus.UP and self._beats.is_due(now_s):
            decisions.append(Act.BEAT)
        if self._is_poll_due(now_s):
            self._polling = True
            self._polled_s = now_s
            decisions.append(Poll(self.vector | {self.number: MAX_ID}))
        reads = [stream.ask(now_s) for stream in self._streams.values() if stream.is_behind]
        return decisions + [read for read in reads if read is not None]

    def bus_went_down(self) -> None:
        """The connection is lost: from now on, messages are polled from the database."""
        self.bus = Bus.DOWN

    def bus_came_up(self, now_s: float) -> Call:
        """Connected and subscribed. Returns the first frame to publish."""
        self.bus = Bus.UP
        self._pulse.heard()
        self.members.bus_came_up(now_s)
        self._beats.hasten()
        return Call(self.number)

    def learn(self, first: Mapping[int, int]) -> None:
        """The table of nodes was read again. Read it about every second, for example when the reservation is written.

        While the bus is down, a node may start, store messages and end; only the table shows this.
        """
        self._first = first
        for origin in first:
            self._stream(origin)

    # Clients that reconnect.

    def join(self, receiver: Receiver[T], concerns: Callable[[T], bool]) -> None:
        """Begin to replay missed messages to a client. `concerns` returns whether a message is for it."""
        applied = self.vector
        after = starting_point(receiver.position, applied, self._first)
        tail = (item for stream in self._streams.values() for item in stream.tail.items if concerns(item))
        receiver.begin(Replay(after, applied, tail))

    # Internals.

    def _hear_own(self, epoch: int) -> None:
        if epoch == self._own.epoch:
            self._pulse.heard()
        elif epoch > self._own.epoch:
            self._displaced = True

    def _is_poll_due(self, now_s: float) -> bool:
        """Whether to poll: while the bus is down, or an origin is silent. A silent origin may have no bus, but still
        store messages, or its last frame may be lost.
        """
        if self._polling or now_s - self._polled_s < POLL_S:
            return False
        return self.bus is Bus.DOWN or len(self.members.heard_since(now_s - SILENT_S)) + 1 < len(self._streams)

    def _stream(self, origin: int) -> Stream[T] | None:
        """The stream of `origin`. For a new origin, messages start where its ids begin; None beyond MAX_ORIGINS."""
        if origin not in self._streams and len(self._streams) < MAX_ORIGINS:
            self._streams[origin] = Stream(origin, self._first.get(origin, first_of(origin)))
        return self._streams.get(origin)

    def _sent(self, news: News[T], now_s: float) -> News[T]:
        self._own.on_news(news, 0)
        self._beats.sent(now_s)
        if self.bus is Bus.UP:
            self._pulse.sent(now_s)
        return news

    def _deliveries(self, origin: int, items: list[T]) -> list[Delivery[T]]:
        if not items:
            return []
        vector = self.vector
        return [Delivery(item, vector | {origin: item.id}) for item in items]

    def _wake(self, now_s: float) -> None:
        slept_s = now_s - self._ticked_s
        self._ticked_s = now_s
        if slept_s > SLEPT_S:
            self._pulse.slept(slept_s)
            self.members.slept(slept_s)
