"""How far two users have read each other's messages, and when one of them was last seen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from .base import MessageId
from .marks import read_upto

# A row whose `hasta` is 0 only has a mark as unread.
STANDING_SQL: Final = f"""
    SELECT nullif({read_upto("?1", "?2")}, 0),
           (SELECT hasta FROM leidos WHERE lector = ?2 AND con = ?1 AND hasta > 0),
           (SELECT fecha FROM vistos WHERE vistos.user = ?2)
"""  # noqa: S608  # only constants are inserted
"""Parameters: a user and the other user. For both databases. (A bare `user` is a function of PostgreSQL.)"""


class Standing(NamedTuple):
    """Marks of two users; None if unknown. `seen_ms` is milliseconds since 1970."""

    read: MessageId | None  # the user has read the other's messages up to this id
    read_by: MessageId | None  # the other has read the user's messages up to this id
    seen_ms: int | None  # when the other was last seen


def standing(found: Sequence[Sequence[Any]]) -> Standing:
    """The answer in the rows of the statement."""
    return Standing(*found[0])
