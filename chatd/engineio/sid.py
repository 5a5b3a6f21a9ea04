"""The ids of sessions: random characters and, where there are several nodes, the mark of the session's node in front.

A proxy compares the beginning of a `sid` with the marks, and so finds the node of every request without a cookie and
without a table. Rules E-28 and K-01 of protocol.md.
"""

from __future__ import annotations

import secrets
from typing import Final, NewType

Sid = NewType("Sid", str)

RANDOM_BYTES: Final = 15  # 120 random bits, 20 characters

# Not in the alphabet of the random part, so no sid of node 0 has it; and not a digit, so `1.` does not begin `10.`.
# It stands unescaped in a query and in a cookie.
MARK_END: Final = "."

# A session id is a secret: its holder can poll and post as its client. Logs get only its first 48 random bits.
LOGGED_RANDOM_CHARS: Final = 8


def node_mark(node: int) -> str:
    """The beginning of every sid of that node. Node 0, one process alone, has none."""
    return f"{node}{MARK_END}" if node else ""


def new_sid(mark: str) -> Sid:
    """A sid that cannot be guessed."""
    return Sid(mark + secrets.token_urlsafe(RANDOM_BYTES))


def logged_sid(sid: Sid) -> str:
    """A session's name in logs: enough to find its lines, too little to speak for it."""
    return sid[: sid.find(MARK_END) + 1 + LOGGED_RANDOM_CHARS]
