"""The deadline for a node to commit a message. Rule N-16.

A client without a vector sends only the id of its last message, and gets all messages from some time before that id. So
a message must not become visible long after greater ids were delivered. A node that stalled may send a message too
late; so the INSERT also compares the clock of the server with the deadline.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from chatd.store.base import StoreCode, StoreError

if TYPE_CHECKING:
    from asyncpg import Connection


def late() -> StoreError:
    """The error for the sender of a message that was not committed in time."""
    return StoreError(StoreCode.UNAVAILABLE, "the message waited too long for the database: try again", retry=True)


class ServerClock:
    """The clock of the server: its value when the writing session began, advanced by the monotonic clock."""

    def __init__(self) -> None:
        self._ahead_ms = 0.0  # the server's clock minus the monotonic clock

    async def read(self, connection: Connection) -> None:
        """Read the server's clock; network delay makes deadlines earlier, not later. Raises what the driver raises."""
        server_ms = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        self._ahead_ms = server_ms - monotonic() * 1000

    def in_ms(self, left_ms: int) -> int:
        """The time of the server's clock in `left_ms` milliseconds, in milliseconds since 1970."""
        return round(monotonic() * 1000 + self._ahead_ms) + left_ms
