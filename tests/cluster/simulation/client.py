"""A client: it remembers the last position that it received, and reconnects with it to any node."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatd.cluster.core import position as codec
from chatd.cluster.core.receiver import Receiver
from chatd.cluster.core.vector import Vector, covers, origin_of
from tests.cluster.simulation.clock import Clock, Link
from tests.cluster.simulation.message import Said
from tests.cluster.simulation.verdict import Verdict

if TYPE_CHECKING:
    from tests.cluster.simulation.process import Process

LINE_MS = 30
PATIENCE_MS = 400


class Connection:
    """A connection between a client and a process. Data in flight at its end is lost."""

    def __init__(self, client: Client, process: Process, clock: Clock) -> None:
        self.client = client
        self.process = process
        self.down = Link(clock)
        self.receiver: Receiver[Said] | None = None
        self.is_open = True
        self.is_up_to_date = False


class Client:
    def __init__(
        self, number: int, clock: Clock, luck: random.Random, choose: Callable[[], Process | None], verdict: Verdict
    ) -> None:
        self.number = number
        self.hears_all = number == 0
        self.seen: set[int] = set()
        self.start: Vector | None = None
        self.drops_doubles = False
        self._clock = clock
        self._luck = luck
        self._choose = choose
        self._verdict = verdict
        self._position: Vector | None = None
        self._last: dict[int, int] = {}
        self.connection: Connection | None = None

    def concerns(self, said: Said) -> bool:
        return self.hears_all or said.to == self.number

    @property
    def is_up_to_date(self) -> bool:
        return self.connection is not None and self.connection.is_up_to_date

    # Connect and disconnect.

    def connect(self) -> None:
        process = self._choose()
        if process is None:
            self._clock.after(100, self.connect)
            return
        self.connection = Connection(self, process, self._clock)
        text = None if self._position is None else codec.encode(self._position)
        self._clock.after(self._delay_ms(), process.accept, self.connection, text)
        self._clock.after(PATIENCE_MS, self._look_after, self.connection)

    def leave(self) -> None:
        """Close the connection on the client's side; the client reconnects soon."""
        if self.connection is not None:
            self.connection.is_open = False
            self._clock.after(self._delay_ms(), self.connection.process.forget, self.connection)
            self.connection = None
            self._clock.after(self._luck.randrange(1, 300), self.connect)

    def end(self, connection: Connection) -> None:
        """The server has closed the connection."""
        if self.connection is connection:
            self.leave()

    def _look_after(self, connection: Connection) -> None:
        """Close the connection to a process that does not answer."""
        if not connection.is_up_to_date:
            self.end(connection)

    # Data from the server.

    def send(self, connection: Connection, said: Said | None, position: Vector) -> None:
        """Send a message, or, without one, the end of the replay."""
        connection.down.send(self._delay_ms(), self._receive, connection, said, position)

    def _receive(self, connection: Connection, said: Said | None, position: Vector) -> None:
        if not connection.is_open:
            return
        if self._position is not None and not covers(position, self._position):
            self._verdict.add("regressed", self.number, position)
        self._position = position
        if said is None:
            connection.is_up_to_date = True
            self.start = self.start or position
        else:
            self._take(said)

    def _take(self, said: Said) -> None:
        if said.id in self.seen:
            if not self.drops_doubles:
                self._verdict.add("doubled", self.number, said.id)
            return
        self.seen.add(said.id)
        origin = origin_of(said.id)
        if said.id < self._last.get(origin, 0):
            self._verdict.add("disordered", self.number, said.id)
        self._last[origin] = said.id

    def _delay_ms(self) -> int:
        return self._luck.randrange(1, LINE_MS)
