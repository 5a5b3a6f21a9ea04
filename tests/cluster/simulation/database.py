"""A model of PostgreSQL's visibility rules.

A row is visible after its commit, to statements whose snapshot is later; the order of ids is not that of commits. One
connection commits one group at a time. When its process dies, the pending commit may still happen, or not; the
lock on the number is released only after that.
"""

from __future__ import annotations

import bisect
import random
from collections import deque
from collections.abc import Callable, Sequence

from chatd.cluster.core.vector import MAX_ID, origin_of
from tests.cluster.simulation.clock import Clock
from tests.cluster.simulation.message import Said
from tests.cluster.simulation.plan import Plan

READ_MS = 8
PAGE_ROWS = 4
STALL_MS = 1_500


class Writer:
    """The write connection of one process; it holds the lock on its number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_open = True
        self.commits_under_way = 0


class Database:
    def __init__(self, clock: Clock, luck: random.Random, plan: Plan) -> None:
        self.rows: dict[int, Said] = {}
        self._ids: list[int] = []
        self.first: dict[int, int] = {}  # the table of nodes: the first epoch of each number
        self.reserved: dict[int, int] = {}  # and the reservation of its last process
        self.commits_under_way = 0
        self._clock = clock
        self._luck = luck
        self._plan = plan
        self._calm = False
        self._down_until_ms = 0
        self._holders: dict[int, Writer] = {}
        self._waiting: dict[int, deque[Callable[[Writer], None]]] = {}

    @property
    def greatest(self) -> int:
        return self._ids[-1] if self._ids else 0

    def greatest_of(self, origin: int) -> int | None:
        """The greatest visible id of an origin."""
        return next((one for one in reversed(self._ids) if origin_of(one) == origin), None)

    def go_down(self, length_ms: int) -> None:
        self._down_until_ms = max(self._down_until_ms, self._clock.now_ms + length_ms)

    def calm_down(self) -> None:
        """End all faults."""
        self._calm = True

    # The lock.

    def lock(self, number: int, granted: Callable[[Writer], None]) -> None:
        self._waiting.setdefault(number, deque()).append(granted)
        self._grant(number)

    def disconnect(self, writer: Writer) -> None:
        """The process or the connection has ended."""
        writer.is_open = False
        self._release(writer)

    def _release(self, writer: Writer) -> None:
        if not writer.is_open and not writer.commits_under_way and self._holders.get(writer.number) is writer:
            del self._holders[writer.number]
            self._grant(writer.number)

    def _grant(self, number: int) -> None:
        waiting = self._waiting.get(number)
        if waiting and number not in self._holders:
            self._holders[number] = Writer(number)
            self._clock.after(1, waiting.popleft(), self._holders[number])

    # Writes.

    def commit(self, writer: Writer, group: Sequence[Said], done: Callable[[bool], None]) -> None:
        """Commit a group; `done` gets whether it is stored, once that is certain."""
        if not writer.is_open:
            self._clock.after(1, done, False)
            return
        self.commits_under_way += 1
        writer.commits_under_way += 1
        delay_ms = self._luck.randrange(self._plan.commit_ms + 1)
        if self._luck.random() < 0.1:
            delay_ms += self._luck.randrange(STALL_MS)
        self._clock.after(delay_ms, self._decide, writer, group, done)

    def _decide(self, writer: Writer, group: Sequence[Said], done: Callable[[bool], None]) -> None:
        if self._clock.now_ms < self._down_until_ms:
            self._clock.at(self._down_until_ms, self._decide, writer, group, done)
            return
        refused = self._luck.random() < (self._plan.refusals if writer.is_open else 0.5)
        for said in () if refused else group:
            self.rows[said.id] = said
            bisect.insort(self._ids, said.id)
        self.commits_under_way -= 1
        writer.commits_under_way -= 1
        self._release(writer)
        self._clock.after(self._luck.randrange(READ_MS), done, not refused)

    def write(self, writer: Writer, change: Callable[[], None], done: Callable[[bool], None]) -> None:
        """Change the table of nodes. The change may be made although it is reported as failed."""
        if not writer.is_open:
            self._clock.after(1, done, False)
            return
        lost = self._clock.now_ms < self._down_until_ms
        if not lost or self._luck.random() < 0.5:
            self._clock.after(self._luck.randrange(READ_MS), change)
        self._clock.after(2 * READ_MS, done, not lost)

    # Reads.

    def read(self, after: int, upto: int | None, concerns: Callable[[Said], bool], limit: int) -> list[Said]:
        """The result of one statement at this time, in the order of ids."""
        low = bisect.bisect_right(self._ids, after)
        high = bisect.bisect_right(self._ids, MAX_ID if upto is None else upto)
        found: list[Said] = []
        for one in self._ids[low:high]:
            if concerns(self.rows[one]):
                found.append(self.rows[one])
                if len(found) == limit:
                    break
        return found

    def ask(self, statement: Callable[[], list[Said]], answer: Callable[[list[Said] | None], None]) -> None:
        """Run a statement; the answer is None if it failed."""
        delay_ms = self._luck.randrange(READ_MS)
        failures = 0.0 if self._calm else self._plan.failures
        if self._clock.now_ms < self._down_until_ms or self._luck.random() < failures:
            self._clock.after(delay_ms, answer, None)
        else:
            self._clock.after(delay_ms, self._run, statement, answer)

    def _run(self, statement: Callable[[], list[Said]], answer: Callable[[list[Said] | None], None]) -> None:
        self._clock.after(self._luck.randrange(READ_MS), answer, statement())
