"""Events whose answer comes later: how many may be under way, for each user and for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from chatd.base.errors import RefusedError
from chatd.base.shares import Shares
from chatd.base.tasks import Tasks
from chatd.chat.member import Author
from chatd.engineio.turns import Price
from chatd.socketio.socket import Reply

Do = Callable[[], Awaitable[msgspec.Struct]]


class UnderWay:
    """`busy` makes the refusal of one too many. An answer is a task."""

    def __init__(self, total: int, each: int, busy: Callable[[], RefusedError]) -> None:
        self._shares: Shares[str] = Shares(total, each)
        self._busy = busy
        self._tasks = Tasks()

    def begin(self, member: Author, reply: Reply | None, do: Do, name: str) -> None:
        """`do` refuses invalid arguments at once and answers later; `name` is the name of the task."""
        user = member.identity.user
        if not self._shares.take(user):
            member.refuse(reply, self._busy())
            return
        try:
            answer = do()
        except RefusedError as error:
            self._shares.give_back(user)
            member.refuse(reply, error)
            return
        member.charge(Price.QUESTION)
        self._tasks.start(self._answer(member, reply, answer), name)

    async def _answer(self, member: Author, reply: Reply | None, answer: Awaitable[msgspec.Struct]) -> None:
        try:
            answered = await answer
        except RefusedError as error:
            member.refuse(reply, error)
        else:
            if reply is not None:
                reply(answered)
        finally:
            self._shares.give_back(member.identity.user)
