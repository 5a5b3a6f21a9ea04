"""Fair scheduling of the event loop: a budget of work for each client and turn. Rule L-16 of protocol.md.

The loop has one thread, and one turn lasts as long as all the work in it. So work has a price in units, or is timed
where a fixed price would be too low. Each payer has a budget for each turn; a payer is a user (over all its sockets)
or, before the user is known, an address. If the budget is used up, the payer's connections are not read until a later
turn. There, waiting payers are served in rotation, and the connections of a payer one after the other. After TURN_S a
turn gives no more credit. If no other client is active, the next turn comes at once, so the budget does not slow down
a client that is alone.

An account exists only while its payer is active: idle clients take no memory. A connection draws CHUNK units at a time,
because a draw takes 0.5 µs and a packet may take only 2 µs.
"""

from __future__ import annotations

import enum
import logging
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Protocol

Payer = Hashable
"""The key of an account: a user's room, an address, or an object for a connection without a usable address."""

CHUNK: Final = 16
"""Units that a connection draws at a time."""

BUDGET: Final = 64
"""Default of `turn_budget`, units of a payer in one turn: 0.6 ms, or sixty short messages.

With 128, other clients wait longer: 6.2 ms instead of 4.0 ms while 50 connections send a megabyte each.
"""

TURN_S: Final = 0.004
"""Seconds of a turn in which credit is given; it bounds a turn in which work takes longer than its price."""

BYTES_SHIFT: Final = 11
"""Each 2 KiB read cost one unit."""

UNITS_PER_S: Final = 100_000
"""A unit is 10 µs of the loop's thread."""

TIMED_BYTES: Final = 256
"""The work for longer messages is timed, and so is all HTTP: it may take much longer than its price.

27 KB of empty arrays have a price of 130 µs and take 1,600 µs. Reading the clock twice takes 1.3 µs.
"""

Started = tuple[float, int]
"""The start of timed work: seconds of CPU time of the thread, and the units charged until then."""

log = logging.getLogger("chatd.engineio")


class Price(enum.IntEnum):
    """Prices in units of about 10 µs. A packet costs one unit; this table has the work that costs more."""

    REQUEST = 8  # HTTP, most of it in h11
    SESSION = 16
    REFUSED_CONNECT = 4
    JOIN = 32  # includes the later leave, and the presence events of both
    LOOKUP = 4  # of one row in the database
    QUESTION = 32  # a query of the database for a page of history, a list, a recovery


class Payable(Protocol):
    """An object whose work is charged to a payer."""

    @property
    def payer(self) -> Payer: ...

    credit: int
    """Units drawn and not used. No work may be done for it unless this is positive."""


class Connection(Payable, Protocol):
    """A connection that may have to wait for a later turn."""

    def on_turn(self) -> None:
        """Called once for each refused `draw`, in a later turn, with credit. Must not raise."""


class Account:
    """The rest of a payer's budget (negative: a debt), and the connections of the payer that wait."""

    __slots__ = ("units", "waiting")

    def __init__(self, units: int) -> None:
        self.units = units
        self.waiting: deque[Connection] = deque()


class Turns:
    """The accounts of all payers. `now` is in seconds; `at_turn_end` calls a function at the end of this turn
    of the loop, or later.
    """

    def __init__(
        self,
        now: Callable[[], float],
        at_turn_end: Callable[[Callable[[], None]], object],
        budget: int = BUDGET,
        worked_s: Callable[[], float] = time.thread_time,
    ) -> None:
        """`worked_s` returns the CPU time of this thread, in which the work of other threads does not count."""
        self.waits = 0  # how often a connection had to wait for a later turn
        self._now = now
        self._worked_s = worked_s
        self._charged = 0
        self._budget = budget
        self._at_turn_end = at_turn_end
        self._accounts: dict[Payer, Account] = {}
        self._rotation: dict[Payer, Account] = {}  # those with connections that wait, in the order of their turns
        self._scheduled = False
        self._ends_s = 0.0  # when this turn gives no more credit

    def draw(self, connection: Connection) -> bool:
        """Give `connection` credit. Returns False if it has to wait: `on_turn` is called in a later turn, and the
        connection must not draw before that.
        """
        payer = connection.payer
        account = self._account(payer)
        if account.units > 0 and not account.waiting and self._now() < self._ends_s:
            _grant(account, connection)
            return True
        self.waits += 1
        account.waiting.append(connection)
        self._rotation[payer] = account
        return False

    def charge(self, connection: Payable, price: int) -> None:
        """Charge the payer of `connection` `price` units for work beyond the reading of a packet."""
        self._account(connection.payer).units += connection.credit - price
        self._charged += price
        connection.credit = 0

    def start(self) -> Started:
        """Start to time work; pass the result to `finish`."""
        return self._worked_s(), self._charged

    def finish(self, connection: Payable, started: Started) -> None:
        """Charge the payer of `connection` for the time since `start`, minus what was charged meanwhile."""
        began_s, charged = started
        owed = int((self._worked_s() - began_s) * UNITS_PER_S) - (self._charged - charged)
        if owed > 0:
            self.charge(connection, owed)

    def __len__(self) -> int:
        """The number of accounts in memory."""
        return len(self._accounts)

    def _account(self, payer: Payer) -> Account:
        account = self._accounts.get(payer)
        if account is None:
            account = self._accounts[payer] = Account(self._budget)
            if not self._scheduled:
                self._begin_turn()
        return account

    def _begin_turn(self) -> None:
        self._scheduled = True
        self._ends_s = self._now() + TURN_S
        self._at_turn_end(self._next_turn)

    def _next_turn(self) -> None:
        """Refill the budgets, delete full accounts without waiting connections, and serve the waiting ones."""
        kept = {}
        for payer, account in self._accounts.items():
            account.units = min(account.units + self._budget, self._budget)
            if account.waiting or account.units < self._budget:
                kept[payer] = account
        self._accounts = kept
        if kept:
            self._begin_turn()
            self._rotate()
        else:
            self._scheduled = False

    def _rotate(self) -> None:
        for payer in tuple(self._rotation):
            account = self._rotation.pop(payer)
            self._serve(account)
            if account.waiting:
                self._rotation[payer] = account
            if self._now() >= self._ends_s:
                return

    def _serve(self, account: Account) -> None:
        """Give each waiting connection one chunk, as far as the budget goes. A single connection may use all of it."""
        for _ in range(len(account.waiting)):
            if account.units <= 0 or self._now() >= self._ends_s:
                return
            connection = account.waiting.popleft()
            _grant(account, connection)
            try:
                connection.on_turn()
            except Exception:
                log.exception("a connection failed in its turn")


def _grant(account: Account, connection: Payable) -> None:
    account.units -= CHUNK - connection.credit
    connection.credit = CHUNK
