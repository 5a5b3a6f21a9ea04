"""A team that chats over real sockets, and helpers to read what its admins receive."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator
from typing import Any, Final, cast

from chatd.chat.router import ChatRouter
from chatd.daemon.config import Raw
from chatd.team.cases import Cases
from chatd.team.waits import Waits
from tests.chat.people import Chat, Person, chatting, cookie, join, token

SETTINGS: Final[dict[str, Raw]] = {"admin_messages": "team", "payload": "full", "presence": "on"}


@dataclasses.dataclass(frozen=True, slots=True)
class Team:
    """A daemon in this process."""

    chat: Chat

    @property
    def waits(self) -> Waits:
        """The waits that the daemon has measured."""
        members = [socket.handler for socket in self.chat.namespace.sockets.values()]
        router = cast(ChatRouter, cast(Any, members[0])._router)
        claim = cast("functools.partial[None]", router.handler("atender"))
        return cast(Cases, cast(Any, claim.func).__self__).waits

    async def admin(self, user: str, name: str = "A Name", auth: object = None) -> Person:
        return await join(self.chat.client, cookie(token(user, "admin", name=name)), auth)

    async def user(self, user: str, name: str = "A Name") -> Person:
        return await join(self.chat.client, cookie(token(user, name=name)))


@contextlib.asynccontextmanager
async def team_chat(db: object, **settings: Raw) -> AsyncIterator[Team]:
    async with chatting(db, **{**SETTINGS, **settings}) as running:
        yield Team(running)


async def heard(person: Person, *events: str) -> list[Any]:
    """The first arguments of these events that `person` has received."""
    return [event[1] for event in await person.inbox() if event[0] in events]


async def news_of(person: Person, con: str, **expected: object) -> dict[str, Any]:
    """Wait for a `caso` event of `con` with the expected fields."""
    while True:
        event, what, *_ = await person.hear()
        if event == "caso" and what["con"] == con and expected.items() <= what.items():
            return dict(what)


async def listed(person: Person, **asked: object) -> list[str]:
    """The users in a list of conversations, in its order."""
    answer = await person.ask("conversaciones", asked)
    assert answer["ok"], answer
    return [entry["con"] for entry in answer["conversaciones"]]
