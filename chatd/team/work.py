"""Events of admins that read or write the tables of the team: how many may be under way. Rule D-03."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from chatd.chat.events import EventCode
from chatd.chat.member import Author
from chatd.engineio.turns import Price
from chatd.errors import RefusedError
from chatd.shares import Shares
from chatd.socketio.socket import Reply
from chatd.store.base import StoreCode, StoreError
from chatd.tasks import Tasks

MAX_UNDER_WAY: Final = 1_000
MAX_UNDER_WAY_EACH: Final = 20

Do = Callable[[], Awaitable[msgspec.Struct]]


class Work:
    """One for the team."""

    def __init__(self) -> None:
        self._under_way: Shares[str] = Shares(MAX_UNDER_WAY, MAX_UNDER_WAY_EACH)
        self._tasks = Tasks()

    def begin(self, member: Author, event: str, reply: Reply | None, do: Do) -> None:
        """`do` refuses what is wrong with the arguments at once, and gives the answer later."""
        user = member.identity.user
        try:
            if not member.identity.is_admin:
                raise RefusedError(EventCode.ADMINS_ONLY, f"{event} is for admins.")
            if not self._under_way.take(user):
                raise RefusedError(StoreCode.BUSY, "Too many events of the team are under way: try again.")
        except RefusedError as error:
            member.refuse(reply, error)
            return
        try:
            answer = do()
        except RefusedError as error:
            self._under_way.give_back(user)
            member.refuse(reply, error)
            return
        member.charge(Price.QUESTION)
        self._tasks.start(self._answer(member, reply, answer), event)

    async def _answer(self, member: Author, reply: Reply | None, answer: Awaitable[msgspec.Struct]) -> None:
        try:
            answered = await answer
        except (RefusedError, StoreError) as error:
            member.refuse(reply, error)
        else:
            if reply is not None:
                reply(answered)
        finally:
            self._under_way.give_back(member.identity.user)
