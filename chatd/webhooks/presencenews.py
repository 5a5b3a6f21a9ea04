"""`presencia`: a user came, or has gone. Rules W-14 to W-16.

Presence is a state and not a log: nobody reads an old one again. So the database has who the receiver believes is
here, and once a second that is compared with who is here: the difference is told. Whatever is missed meanwhile, by a
crash, a receiver that is down or another node, shows in the next comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Final

from chatd.chat.chat import Chat
from chatd.chat.presence.presence import Presence
from chatd.webhooks.config import Webhook
from chatd.webhooks.events import Event, came_or_went
from chatd.webhooks.lines import Item
from chatd.webhooks.memory import Memory, key_of

MAX_ON_THEIR_WAY: Final = 64

RETURN_GRACES: Final = 10
"""How many times of grace users have to come back to a daemon that has just begun to look."""

_TOLD: Final = "SELECT quien FROM ganchos_presentes WHERE clave = ?1"
_CAME: Final = "INSERT INTO ganchos_presentes (clave, quien) VALUES (?1, ?2) ON CONFLICT (clave, quien) DO NOTHING"
_WENT: Final = "DELETE FROM ganchos_presentes WHERE clave = ?1 AND quien = ?2"
_FORGET: Final = "DELETE FROM ganchos_presentes WHERE clave = ?1"


class PresenceNews:
    """Of one hook."""

    def __init__(self, config: Webhook, memory: Memory, chat: Chat) -> None:
        self._memory = memory
        self._key = key_of(config.name)
        self._chat = chat
        self._store = chat.store
        self._told: set[str] | None = None  # who is here, as the receiver knows it; None until that is read
        self._awaited: set[str] = set()  # of those who has not come back yet
        self._awaited_until_s = 0.0
        self._on_their_way: dict[str, bool] = {}  # whether it is said that the user is here

    async def due(self) -> list[Item]:
        """What is not on its way. Raises StoreError."""
        presence = self._chat.presence
        if presence is None or not self._chat.sees_all:
            self._told = None
            return []
        told = await self._begin() if self._told is None else self._told
        self._await_less(presence)
        room = MAX_ON_THEIR_WAY - len(self._on_their_way)
        changed = list(islice(self._changed(presence, told), room))
        return [await self._item(presence, user, is_here) for user, is_here in changed]

    async def on_taken(self, _item: Item, event: Event) -> None:
        """See Origin."""
        is_here = self._on_their_way[event.con]
        await self._store.run(_CAME if is_here else _WENT, (self._key, event.con))
        if self._told is not None:
            (self._told.add if is_here else self._told.discard)(event.con)
        del self._on_their_way[event.con]

    async def on_set_aside(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self._memory.keep(event)
        await self.on_taken(item, event)

    async def _begin(self) -> set[str]:
        told = self._told = {user for (user,) in await self._store.query(_TOLD, (self._key,))}
        self._awaited = set(told)
        self._awaited_until_s = asyncio.get_running_loop().time() + RETURN_GRACES * self._chat.config.presence_grace_s
        return told

    def _await_less(self, presence: Presence) -> None:
        if self._awaited and asyncio.get_running_loop().time() < self._awaited_until_s:
            self._awaited = {user for user in self._awaited if presence.find(user) is None}
        else:
            self._awaited.clear()

    def _changed(self, presence: Presence, told: set[str]) -> Iterator[tuple[str, bool]]:
        """Each user of whom the receiver does not know whether that one is here, and whether it is so."""
        for user in told:
            if presence.find(user) is None and user not in self._awaited and user not in self._on_their_way:
                yield user, False
        for user in presence:
            if user not in told and user not in self._on_their_way:
                yield user, True

    async def _item(self, presence: Presence, user: str, is_here: bool) -> Item:
        online = presence.find(user) if is_here else None
        seen_ms = await self._last_seen_ms(user) if online is None else online.since_ms
        self._on_their_way[user] = is_here
        return Item(self, 0, seen_ms, came_or_went(user, is_here, seen_ms))

    async def _last_seen_ms(self, user: str) -> int:
        await self._store.flushed()
        seen_ms = (await self._store.library.standing(user, user)).seen_ms
        return self._chat.clock_ms() if seen_ms is None else seen_ms


async def forget_presence(chat: Chat, name: str) -> None:
    """The hook does not hear of presence. Raises StoreError."""
    await chat.store.run(_FORGET, (key_of(name),))
