"""Session ids: random characters; with several nodes, they start with the mark of the session's node.

A proxy routes a request by the mark at the start of its `sid`, without a cookie and without a table. Rules E-28 and
K-01 of protocol.md.
"""

from __future__ import annotations

import secrets
from typing import Final, NewType

Sid = NewType("Sid", str)

RANDOM_BYTES: Final = 15  # 120 random bits, 20 characters

# Not in the alphabet of the random part, so no sid of node 0 contains it; not a digit, so `1.` is no prefix of `10.`.
# It needs no escaping in a query or a cookie.
MARK_END: Final = "."

# A session id is a secret: with it, anyone can poll and post as the client. Logs get only its first 48 random bits.
LOGGED_RANDOM_CHARS: Final = 8


def node_mark(node: int) -> str:
    """The start of every sid of `node`; empty for node 0, a single process."""
    return f"{node}{MARK_END}" if node else ""


def new_sid(mark: str) -> Sid:
    """A sid that cannot be guessed."""
    return Sid(mark + secrets.token_urlsafe(RANDOM_BYTES))


def logged_sid(sid: Sid) -> str:
    """The part of `sid` that logs show: enough to find a session's lines, not enough to act as its client."""
    return sid[: sid.find(MARK_END) + 1 + LOGGED_RANDOM_CHARS]
