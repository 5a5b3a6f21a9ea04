"""The open TCP connections, whatever they speak at the moment: counted, and closed at the end.

A client has one connection for a WebSocket, and on long-polling up to three for a moment. So three times as many
connections as clients may be open, and a few for those that come and go. A connection over that is told so, and what it
sends is not read (busy.py). Which clients are admitted is in admission.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from chatd.base.refusals import Refusals
from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import NO_ADDRESS, Proxies, counted_address
from chatd.engineio.turns import Payer
from chatd.engineio.unfinished import Unfinished

PER_CLIENT: Final = 3  # a poll, a POST and the WebSocket of an upgrade
SPARE: Final = 16

Explain = Callable[[int], tuple[bytes, list[tuple[bytes, bytes]]]]
"""Body and headers of the answer to a connection or bytes that no handler is given: takes the status."""


def unexplained(_status: int) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The status says enough."""
    return b"", []


def connections_of(clients: int, per_client: int = PER_CLIENT, spare: int = SPARE) -> int:
    """How many connections so many clients may have; 0 for 0, which is without limit."""
    return per_client * clients + spare if clients else 0


class Connections:
    """Every accepted connection is added once and discarded once."""

    def __init__(
        self,
        config: EngineConfig,
        proxies: Proxies,
        refusals: Refusals[Limit],
        *,
        per_client: int = PER_CLIENT,
        spare: int = SPARE,
    ) -> None:
        self.refusals = refusals
        self.explain: Explain = unexplained
        self.unfinished = Unfinished(config, refusals)
        self.turned_away = 0  # refused connections that are not closed yet
        self.received_bytes = 0  # HTTP and WebSocket frames, without TLS
        self._proxies = proxies
        self._max_total = connections_of(config.max_connections, per_client, spare)
        self.max_per_address = connections_of(config.max_connections_per_address, per_client, spare)
        self._open: dict[asyncio.Transport, str] = {}  # by what each counts; nothing for those behind a proxy
        self._by_address: dict[str, int] = {}
        self._empty: asyncio.Event | None = None

    def add(self, connection: asyncio.Transport, address: str) -> Limit | None:
        """The limit that this connection is over, if it is over any; `address` is its peer's."""
        counted = self.counted(address)
        limit = self._reached(counted)
        if limit is not None:
            self._open[connection] = NO_ADDRESS
            self._turn_away(limit, address)
        else:
            self._open[connection] = counted
            if counted != NO_ADDRESS:
                self._by_address[counted] = self._by_address.get(counted, 0) + 1
        return limit

    def counted(self, address: str) -> str:
        """By what connections from `address` count; NO_ADDRESS where they do not: a proxy's, or there is no limit."""
        if not self.max_per_address or address == NO_ADDRESS or self._proxies.trusts(address):
            return NO_ADDRESS
        return counted_address(address)

    def payer(self, address: str) -> Payer:
        """Who pays for what comes from `address` (see turns.py); each connection for itself where that is unknown, or
        a proxy's.
        """
        if address == NO_ADDRESS or self._proxies.trusts(address):
            return object()
        return counted_address(address)

    def discard(self, connection: asyncio.Transport) -> None:
        # A transport of asyncio's holds a bound method of its own, the one cycle of a connection that has ended: with
        # it, each would leave 1.5 KB to the garbage collector.
        vars(connection).pop("_read_ready_cb", None)
        address = self._open.pop(connection, NO_ADDRESS)
        if address != NO_ADDRESS:
            self._discard_from(address)
        if self._empty is not None and not self._open:
            self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def of(self, address: str) -> int:
        """How many count for `address`."""
        return self._by_address.get(counted_address(address), 0)

    async def close(self, patience_s: float) -> None:
        """Wait up to `patience_s` for the peers to close, then close the remaining connections and wait for that."""
        if not self._open:
            return
        self._empty = asyncio.Event()
        try:
            async with asyncio.timeout(patience_s):
                await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self._open):
                connection.abort()  # `close` would wait for a peer that does not read
            await self._empty.wait()

    def _reached(self, address: str) -> Limit | None:
        """What another connection would be over; those that are turned away do not count."""
        if 0 < self._max_total <= len(self._open) - self.turned_away:
            return Limit.MAX_CONNECTIONS
        if address != NO_ADDRESS and self._by_address.get(address, 0) >= self.max_per_address:
            return Limit.MAX_CONNECTIONS_PER_ADDRESS
        return None

    def _discard_from(self, address: str) -> None:
        count = self._by_address[address] - 1
        if count:
            self._by_address[address] = count
        else:
            del self._by_address[address]

    def _turn_away(self, limit: Limit, address: str) -> None:
        self.turned_away += 1
        self.refusals.add(limit, "connection refused: too many are open", address=address)
