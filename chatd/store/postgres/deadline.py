"""Until when a node may commit a message. Rule N-16.

A client that has no vector says only the id of a message that it has, and gets everything since some time before. So a
message must not become visible long after larger ids were delivered. A node that stood still may send one all the same:
therefore the server compares its clock too, in the statement itself.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from chatd.store.base import StoreCode, StoreError

if TYPE_CHECKING:
    from asyncpg import Connection


def late() -> StoreError:
    """The error for the sender of a message that is too old."""
    return StoreError(StoreCode.UNAVAILABLE, "the message waited too long for the database: try again", retry=True)


class ServerClock:
    """The clock of the server, as it was when the session that writes began, and moved on since."""

    def __init__(self) -> None:
        self._ahead_ms = 0.0  # of our monotonic clock

    async def read(self, connection: Connection) -> None:
        """The time of the answer counts against us, not for us. Raises what the driver raises."""
        server_ms = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        self._ahead_ms = server_ms - monotonic() * 1000

    def in_ms(self, left_ms: int) -> int:
        """What it will show then."""
        return round(monotonic() * 1000 + self._ahead_ms) + left_ms
