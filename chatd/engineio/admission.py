"""Admission control: total sessions, sessions per address, new sessions per second in total and per address.

The check comes before a session is made, a token is verified or the database is read, so that a refusal is cheap. A
client counts as one session, whatever its number of connections. Rules L-01 to L-03 and L-10 of protocol.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Final

from chatd.base.rates import Rates
from chatd.base.refusals import Refusals
from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import NO_ADDRESS, counted_address
from chatd.engineio.request import Refusal

# A guess for Retry-After: it is unknown when a session will end.
FULL_RETRY_S: Final = 10
STOPPING_RETRY_S: Final = 5

_OF_AN_ADDRESS: Final = frozenset({Limit.MAX_CONNECTIONS_PER_ADDRESS, Limit.ACCEPT_RATE_PER_ADDRESS})


@dataclasses.dataclass(frozen=True, slots=True)
class AdmissionRefusal:
    """Why a new client is refused, for the answer."""

    refusal: Refusal
    detail: str
    retry_after_s: int


class Admission:
    """Counts sessions by address. A limit that is off takes no time and no memory."""

    def __init__(self, config: EngineConfig, refusals: Refusals[Limit], now: Callable[[], float]) -> None:
        self._max_total = config.max_connections
        self._max_per_address = config.max_connections_per_address
        self._rate: Rates[None] = Rates(config.accept_rate, config.accept_rate)
        self._rates: Rates[str] = Rates(config.accept_rate_per_address, config.accept_rate_per_address)
        self._refusals = refusals
        self._now = now
        self._by_address: dict[str, int] = {}
        self._stopping = False

    def use(self, config: EngineConfig, present: Iterable[str]) -> None:
        """Change the limits. Existing sessions stay; `present` has their addresses."""
        self._max_total = config.max_connections
        self._max_per_address = config.max_connections_per_address
        self._rate.change(config.accept_rate, config.accept_rate)
        self._rates.change(config.accept_rate_per_address, config.accept_rate_per_address)
        self._by_address.clear()
        for address in present:
            self.entered(address)

    def stop(self) -> None:
        """From now on no client is admitted."""
        self._stopping = True

    def fault(self, address: str, sessions: int) -> AdmissionRefusal | None:
        """The limit that refuses a client from `address` while `sessions` are open, or None if it is admitted.

        An admitted client is charged to the rates.
        """
        if self._stopping:
            return self._refuse(Limit.STOPPING, "this server is about to stop", STOPPING_RETRY_S, address)
        if 0 < self._max_total <= sessions:
            why = f"{sessions} clients are connected, and max_connections is {self._max_total}"
            return self._refuse(Limit.MAX_CONNECTIONS, why, FULL_RETRY_S, address)
        if self._counts(address) and self._by_address.get(counted_address(address), 0) >= self._max_per_address:
            why = self._address_limit_reached(address)
            return self._refuse(Limit.MAX_CONNECTIONS_PER_ADDRESS, why, FULL_RETRY_S, address)
        return self._rate_fault(address)

    def _rate_fault(self, address: str) -> AdmissionRefusal | None:
        """Check the rate of the address first: a client that exceeds it is not charged to the rate of all clients."""
        now = self._now()
        if address != NO_ADDRESS:
            wait_s = self._rates.take(counted_address(address), now)
            if wait_s > 0:
                why = f"more clients arrive from {counted_address(address)} than accept_rate_per_address lets in"
                return self._refuse(Limit.ACCEPT_RATE_PER_ADDRESS, why, math.ceil(wait_s), address)
        wait_s = self._rate.take(None, now)
        if wait_s > 0:
            why = "more clients arrive than accept_rate lets in"
            return self._refuse(Limit.ACCEPT_RATE, why, math.ceil(wait_s), address)
        return None

    def entered(self, address: str) -> None:
        """A session was opened from `address`."""
        if self._counts(address):
            key = counted_address(address)
            self._by_address[key] = self._by_address.get(key, 0) + 1

    def left(self, address: str) -> None:
        """A session from `address` has ended."""
        if self._counts(address):
            key = counted_address(address)
            count = self._by_address[key] - 1
            if count:
                self._by_address[key] = count
            else:
                del self._by_address[key]

    def _counts(self, address: str) -> bool:
        return bool(self._max_per_address) and address != NO_ADDRESS

    def _address_limit_reached(self, address: str) -> str:
        return (
            f"max_connections_per_address is {self._max_per_address}, and there are as many clients from "
            f"{counted_address(address)}; if that is a reverse proxy, list it as trusted_proxy"
        )

    def _refuse(self, limit: Limit, why: str, retry_after_s: int, address: str) -> AdmissionRefusal:
        self._refusals.add(limit, f"client refused: {why}", address=address)
        refusal = Refusal.TOO_MANY if limit in _OF_AN_ADDRESS else Refusal.BUSY
        return AdmissionRefusal(refusal, f"{limit}: {why}", retry_after_s)
