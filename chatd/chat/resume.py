"""What a client that comes back says in its CONNECT: up to where it has everything. Pure. Rules C-29 and C-34."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from chatd.chat.pid import Pids
from chatd.store.base import MessageId

_ID: Final = re.compile(r"[0-9]{1,19}")
_MAX_ID: Final = 2**63 - 1


class Resume(NamedTuple):
    """`after`: the id up to which the client has everything; None if what it said is none.

    `sid` is the socket whose place it takes; None if it asks for no place, or has no right to it.
    """

    after: MessageId | None
    sid: str | None


def parse_resume(auth: dict[str, Any], user: str, pids: Pids | None) -> Resume | None:
    """What `auth` asks for; None for nothing. `pids` is None where sockets have none."""
    if pids is not None and "pid" in auth:
        sid, after = pids.verify(auth["pid"], user), parse_id(auth.get("offset"))
        if sid is not None and after is not None:
            return Resume(after, sid)
    if "desde" in auth:
        return Resume(parse_id(auth["desde"]), None)
    return None


def parse_id(value: object) -> MessageId | None:
    """The id in a decimal string, or None. Never raises."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        return None
    number = int(value)
    return MessageId(number) if number <= _MAX_ID else None
