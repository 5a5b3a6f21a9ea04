"""The channels of the main namespace. Rule N-31.

KEY#/#              broadcasts to all sockets, or to several rooms
KEY#/#ROOM#         broadcasts to one room, which may be the id of a socket
KEY-request#/#      requests, which every subscriber has to answer
KEY-response#/#     the answers
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Channels:
    """The names of the channels. `key` is the option `key` of the adapter."""

    key: str

    @property
    def broadcasts(self) -> str:
        """The channel of broadcasts; also the prefix of the channels of single rooms."""
        return f"{self.key}#/#"

    @property
    def requests(self) -> str:
        return f"{self.key}-request#/#"

    @property
    def answers(self) -> str:
        return f"{self.key}-response#/#"

    def to(self, rooms: Sequence[str]) -> str:
        """The channel of a broadcast to `rooms`."""
        return f"{self.broadcasts}{rooms[0]}#" if len(rooms) == 1 else self.broadcasts

    def room(self, channel: str) -> str:
        """The room in the channel of a broadcast; empty if there is none."""
        return channel[len(self.broadcasts) : -1]
