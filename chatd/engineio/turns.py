"""Fair turns of the event loop: the work that a client causes is paid for by that client. Rule L-16 of protocol.md.

The loop has one thread, and a turn of it lasts as long as all the work in it. So work has a price, or is timed where a
price would say too little, and a payer has a budget for each turn: a user, over all sockets, where one is known; else
the address. A connection whose payer has used up the budget is not read until a later turn, where the payers that wait
are served in rotation, and the connections of a payer one after the other. A turn that has lasted for TURN_S gives no
more credit to any. When no one else wants the loop, the next turn comes at once, so a budget does not slow a client
that is alone.

An account exists only while its payer is active: idle clients cost no memory. A connection draws CHUNK units at a time,
because a look at the account costs 0.5 µs and a packet may cost 2 µs.
"""

from __future__ import annotations

import enum
import logging
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Protocol

Payer = Hashable
"""Who pays: a user's room, an address, or a connection without a usable address."""

CHUNK: Final = 16
"""Units that a connection draws at a time."""

BUDGET: Final = 64
"""Units of a payer in one turn, unless a setting says otherwise: 0.6 ms, and sixty short messages.

With 128, the others wait half as long again: 6.2 instead of 4.0 ms beside 50 connections that send a megabyte each.
"""

TURN_S: Final = 0.004
"""Credit is drawn for so long in one turn; work that costs more than its price cannot make a turn much longer."""

BYTES_SHIFT: Final = 11
"""2 KiB that were read cost one unit."""

UNITS_PER_S: Final = 100_000
"""A unit is 10 µs of the loop's thread."""

TIMED_BYTES: Final = 256
"""The work for a longer message is timed, as is all HTTP: it may cost much more than its price.

27 KB of empty arrays cost 130 µs by their bytes, and 1,600 µs by the clock. To look at the clock twice costs 1.3 µs.
"""

Started = tuple[float, int]
"""When work was begun, in seconds of the thread, and what had been charged until then."""

log = logging.getLogger("chatd.engineio")


class Price(enum.IntEnum):
    """In units of about 10 µs of the loop. A packet costs one; this is the work that costs more."""

    REQUEST = 8  # HTTP, most of it in h11
    SESSION = 16
    REFUSED_CONNECT = 4
    JOIN = 32  # includes the later leave, and the presence events of both
    LOOKUP = 4  # of one row in the database
    QUESTION = 32  # to the database, for a page of history, a list, a recovery


class Payable(Protocol):
    """What work is done for."""

    @property
    def payer(self) -> Payer: ...

    credit: int
    """What it has drawn and not used. Nothing may be done for it while this is not positive."""


class Connection(Payable, Protocol):
    """What may have to wait for its turn."""

    def go_on(self) -> None:
        """Called once for each `draw` that was refused, in a later turn, with credit. Must not raise."""


class Account:
    """What is left of a payer's budget, which may be a debt; and its connections that wait."""

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
        """`worked_s` is the time that this thread has worked: another that interrupts it is not to be paid for."""
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
        """Give `connection` credit. False if it has to wait: then `go_on` is called later, and it must not draw again
        before.
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
        """Let the payer of `connection` pay `price` for what is done for it beside reading a packet."""
        self._account(connection.payer).units += connection.credit - price
        self._charged += price
        connection.credit = 0

    def start(self) -> Started:
        """Begin to time work that a connection causes, for `finish`."""
        return self._worked_s(), self._charged

    def finish(self, connection: Payable, started: Started) -> None:
        """Let the payer of `connection` pay for what the work took, as far as it was not charged meanwhile."""
        began_s, charged = started
        owed = int((self._worked_s() - began_s) * UNITS_PER_S) - (self._charged - charged)
        if owed > 0:
            self.charge(connection, owed)

    def __len__(self) -> int:
        """How many accounts are kept."""
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
        """Fill up the budgets, forget the accounts that are full, and serve the waiting connections."""
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
        """Each connection that waits has one chunk, as far as the budget goes; a lone one has all of it."""
        for _ in range(len(account.waiting)):
            if account.units <= 0 or self._now() >= self._ends_s:
                return
            connection = account.waiting.popleft()
            _grant(account, connection)
            try:
                connection.go_on()
            except Exception:
                log.exception("a connection failed in its turn")


def _grant(account: Account, connection: Payable) -> None:
    account.units -= CHUNK - connection.credit
    connection.credit = CHUNK
