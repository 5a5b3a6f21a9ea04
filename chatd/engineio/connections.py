"""The open connections of HTTP and WebSocket: counts them, and closes them when the daemon stops.

A client has one connection for a WebSocket, and on long-polling up to three for a short time. So PER_CLIENT times as
many connections as clients may be open, and SPARE more. A connection beyond that is answered 503 (busy.py). The
admission of clients is in admission.py.
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
"""Returns body and headers for an error status that is answered before any handler sees the request."""


def unexplained(_status: int) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """An empty body and no headers."""
    return b"", []


def connections_of(clients: int, per_client: int = PER_CLIENT, spare: int = SPARE) -> int:
    """The limit of connections for a limit of clients; 0 (no limit) for 0."""
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
        self._open: dict[asyncio.Transport, str] = {}  # each with its counted address; NO_ADDRESS for a proxy's
        self._by_address: dict[str, int] = {}
        self._empty: asyncio.Event | None = None

    def add(self, connection: asyncio.Transport, address: str) -> Limit | None:
        """Count a connection from `address`. Returns the limit that it exceeds, or None."""
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
        """The key that connections from `address` count under; NO_ADDRESS for a trusted proxy, or without a limit."""
        if not self.max_per_address or address == NO_ADDRESS or self._proxies.trusts(address):
            return NO_ADDRESS
        return counted_address(address)

    def payer(self, address: str) -> Payer:
        """The payer (see turns.py) of a connection from `address`. Behind a proxy, or without an address, each
        connection is a payer of its own.
        """
        if address == NO_ADDRESS or self._proxies.trusts(address):
            return object()
        return counted_address(address)

    def discard(self, connection: asyncio.Transport) -> None:
        # An asyncio transport holds its own bound method: a reference cycle, which would leave 1.5 KB per connection to
        # the garbage collector.
        vars(connection).pop("_read_ready_cb", None)
        address = self._open.pop(connection, NO_ADDRESS)
        if address != NO_ADDRESS:
            self._discard_from(address)
        if self._empty is not None and not self._open:
            self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def of(self, address: str) -> int:
        """The number of open connections that count for `address`."""
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
        """The limit that another connection would exceed. Connections that are being refused do not count."""
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
