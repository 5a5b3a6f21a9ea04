"""How far two users have read each other, and when one of them was last seen: three looks at a key. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from .base import MessageId
from .marks import read_upto

# A row whose `hasta` is 0 only says what is unread.
STANDING_SQL: Final = f"""
    SELECT nullif({read_upto("?1", "?2")}, 0),
           (SELECT hasta FROM leidos WHERE lector = ?2 AND con = ?1 AND hasta > 0),
           (SELECT fecha FROM vistos WHERE vistos.user = ?2)
"""  # noqa: S608  # words of ours
"""Takes a user and another; every database understands it. (A bare `user` is a function of PostgreSQL.)"""


class Standing(NamedTuple):
    """None where nothing is known. `seen_ms` is milliseconds since 1970."""

    read: MessageId | None  # by the user, of what the other wrote
    read_by: MessageId | None  # the reverse
    seen_ms: int | None  # the other


def standing(found: Sequence[Sequence[Any]]) -> Standing:
    """The answer in what the statement gave."""
    return Standing(*found[0])
