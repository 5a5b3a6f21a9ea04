"""Limits how many events of admins read or write the team's tables at a time. Rule D-03."""

from __future__ import annotations

from typing import Final

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode
from chatd.chat.member import Author
from chatd.chat.underway import Do, UnderWay
from chatd.socketio.socket import Reply
from chatd.store.base import StoreCode

MAX_UNDER_WAY: Final = 1_000
MAX_UNDER_WAY_EACH: Final = 20


class Work:
    """One for the team."""

    def __init__(self) -> None:
        self._under_way = UnderWay(MAX_UNDER_WAY, MAX_UNDER_WAY_EACH, _busy)

    def begin(self, member: Author, event: str, reply: Reply | None, do: Do) -> None:
        """See UnderWay.begin."""
        if member.identity.is_admin:
            self._under_way.begin(member, reply, do, event)
        else:
            member.refuse(reply, RefusedError(EventCode.ADMINS_ONLY, f"{event} is for admins."))


def _busy() -> RefusedError:
    return RefusedError(StoreCode.BUSY, "Too many events of the team are under way: try again.")
