"""`conversacion`: a case of the team was claimed, resolved or is open again. Rules W-11 and W-12.

The database itself writes the event down, in the commit that changes a case (chatd/store/casehooks.py), for
hooks that have said that they are there. What is delivered is deleted.
"""

from __future__ import annotations

from typing import Final

from chatd.chat.chat import Chat
from chatd.webhooks import log
from chatd.webhooks.config import Webhook
from chatd.webhooks.events import CaseChange, Event, case_changed
from chatd.webhooks.lines import Item
from chatd.webhooks.memory import Memory, key_of

MAX_ON_THEIR_WAY: Final = 64

STAYS_MS: Final = 7 * 86_400_000
"""Nothing more is written down for a hook that no daemon has served for so long."""

RENEW_MS: Final = 3_600_000

_FOLLOW: Final = """
    INSERT INTO ganchos_siguen (clave, hasta) VALUES (?1, ?2) ON CONFLICT (clave) DO UPDATE SET hasta = excluded.hasta
"""
_LEAVE: Final = "DELETE FROM ganchos_siguen WHERE clave = ?1 RETURNING clave"
_FORGET: Final = "DELETE FROM ganchos_casos WHERE clave = ?1"
_WAITING: Final = """
    SELECT con, rev, fecha, estado, antes, atiende, cerro FROM ganchos_casos WHERE clave = ?1 ORDER BY rev, con LIMIT ?2
"""
_TAKEN: Final = "DELETE FROM ganchos_casos WHERE clave = ?1 AND con = ?2 AND rev = ?3"


class CaseNews:
    """Of one hook."""

    def __init__(self, config: Webhook, memory: Memory, chat: Chat) -> None:
        self._name = config.name
        self._memory = memory
        self._key = key_of(config.name)
        self._chat = chat
        self._store = chat.store
        self._renew_ms = 0
        self._on_their_way: set[tuple[str, int]] = set()

    async def due(self) -> list[Item]:
        """What is not on its way. Raises StoreError."""
        await self._renew()
        found = []
        for row in await self._store.query(_WAITING, (self._key, 2 * MAX_ON_THEIR_WAY)):
            change = CaseChange(*row)
            mark = (change.con, change.rev)
            if mark not in self._on_their_way and len(self._on_their_way) < MAX_ON_THEIR_WAY:
                self._on_their_way.add(mark)
                found.append(Item(self, change.rev, change.fecha, case_changed(change)))
        return found

    async def on_taken(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self._store.run(_TAKEN, (self._key, event.con, item.id))
        self._on_their_way.discard((event.con, item.id))

    async def on_set_aside(self, item: Item, event: Event) -> None:
        """See Origin."""
        await self._memory.keep(event)
        await self.on_taken(item, event)

    async def _renew(self) -> None:
        now_ms = self._chat.clock_ms()
        if now_ms >= self._renew_ms:
            await self._store.run(_FOLLOW, (self._key, now_ms + STAYS_MS))
            if not self._renew_ms:
                log.info("webhook follows cases", extra={"hook": self._name})
            self._renew_ms = now_ms + RENEW_MS


async def forget_cases(chat: Chat, name: str) -> None:
    """The hook does not hear of cases. Raises StoreError."""
    key = key_of(name)
    if await chat.store.run(_LEAVE, (key,)):
        log.info("webhook follows cases no more", extra={"hook": name})
    await chat.store.run(_FORGET, (key,))
