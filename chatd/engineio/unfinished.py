"""Limits the memory of incomplete input: parts of messages, of bodies and of heads. Rule L-12 of protocol.md.

A client may never send the rest. So incomplete input is counted for each payer (see turns.py) and for the process, and
a connection that exceeds one of the limits is closed. Input that arrives in one piece is not counted.
"""

from __future__ import annotations

from typing import Final

from chatd.base.refusals import Refusals
from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.turns import Payer

FRAGMENT_BYTES: Final = 64
"""Memory of a stored fragment, without its payload."""


class Unfinished:
    """The unfinished bytes of all connections."""

    def __init__(self, config: EngineConfig, refusals: Refusals[Limit]) -> None:
        self.total_bytes = 0
        self._max_total = config.max_unfinished_bytes
        self._max_each = config.max_unfinished_per_client_bytes
        self._by_payer: dict[Payer, int] = {}
        self._refusals = refusals

    def change(self, payer: Payer, by_bytes: int) -> bool:
        """Add `by_bytes`, which may be negative. Returns False if a limit is exceeded; the bytes are counted anyway."""
        self.total_bytes += by_bytes
        its = self._by_payer.get(payer, 0) + by_bytes
        if its:
            self._by_payer[payer] = its
        else:
            self._by_payer.pop(payer, None)
        if by_bytes <= 0:
            return True
        if 0 < self._max_each < its:
            return self._refuse(Limit.MAX_UNFINISHED_PER_CLIENT, payer)
        if 0 < self._max_total < self.total_bytes:
            return self._refuse(Limit.MAX_UNFINISHED, payer)
        return True

    def _refuse(self, limit: Limit, payer: Payer) -> bool:
        self._refusals.add(
            limit,
            "connection closed: too much input is unfinished",
            payer=payer if isinstance(payer, str) else "unknown",
        )
        return False


class Hold:
    """The incomplete input of one connection. The connection creates it when needed, and releases it at the end."""

    __slots__ = ("_bytes", "_payer", "_unfinished")

    def __init__(self, unfinished: Unfinished, payer: Payer) -> None:
        self._unfinished = unfinished
        self._payer = payer
        self._bytes = 0

    def resize(self, size_bytes: int) -> bool:
        """Set the size. Returns False if a limit is exceeded."""
        change, self._bytes = size_bytes - self._bytes, size_bytes
        return not change or self._unfinished.change(self._payer, change)

    def release(self) -> None:
        self.resize(0)
