"""What a client that comes back says in its CONNECT: up to where it has everything. Pure. Rules C-29 and C-34."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from chatd.chat.recovery.pid import Pids

P = TypeVar("P")


class Resume(NamedTuple, Generic[P]):
    """`after`: the position up to which the client has everything; None if what it said is none.

    `sid` is the socket whose place it takes; None if it asks for no place, or has no right to it.
    """

    after: P | None
    sid: str | None


def parse_resume(
    auth: dict[str, Any], user: str, pids: Pids | None, parse: Callable[[object], P | None]
) -> Resume[P] | None:
    """What `auth` asks for; None for nothing. `pids` is None where sockets have none. `parse` reads a position."""
    if pids is not None and "pid" in auth:
        sid, after = pids.verify(auth["pid"], user), parse(auth.get("offset"))
        if sid is not None and after is not None:
            return Resume(after, sid)
    if "desde" in auth:
        return Resume(parse(auth["desde"]), None)
    return None
