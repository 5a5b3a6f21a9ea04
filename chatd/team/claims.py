"""Releases the claims of an admin who has been offline for longer than `claim_timeout`. Rule D-09.

A task looks at intervals which claimants are online. With several nodes every node does, and the first one that
releases a claim sends the event; a node that cannot see the other nodes releases none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final, Protocol

from chatd.base.tasks import Tasks
from chatd.chat.chat import Chat
from chatd.store.base import StoreError
from chatd.team import casesql
from chatd.team.waits import Waits

LOOK_S: Final = 2.0
"""Seconds between two looks; a tenth of the timeout if that is less."""

log = logging.getLogger("chatd.team")


class ChangedCases(Protocol):
    """The part of Cases that claims need."""

    waits: Waits

    def changed(self, rows: Sequence[Sequence[Any]]) -> object: ...


class Claims:
    """Watches the claims from `begin` on."""

    def __init__(self, timeout_s: float, chat: Chat, cases: ChangedCases) -> None:
        self._timeout_s = timeout_s
        self._chat = chat
        self._store = chat.store
        self._cases = cases
        self._gone_since_s: dict[str, float] = {}
        self._tasks = Tasks()

    def begin(self) -> None:
        self._tasks.start(self._watch(), "claims")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._timeout_s / 10))
            try:
                await self.look(asyncio.get_running_loop().time())
            except StoreError as error:
                if error.retry:
                    log.warning("claims cannot be looked at", extra={"code": error.code})

    async def look(self, now_s: float) -> None:
        """Update the figures of waiting users, and release expired claims. Raises StoreError."""
        waiting, since_ms, claimed = (await self._store.query(casesql.STANDING))[0]
        self._cases.waits.saw(waiting, since_ms, claimed, self._chat.clock_ms())
        claimants = {admin for (admin,) in await self._store.query(casesql.CLAIMANTS)} if claimed else set()
        if not self._chat.sees_all:
            claimants = set()
        gone = {admin for admin in claimants if not self._is_online(admin)}
        self._gone_since_s = {admin: self._gone_since_s.get(admin, now_s) for admin in gone}
        for admin, since_s in self._gone_since_s.items():
            if now_s - since_s >= self._timeout_s:
                self._cases.changed(await self._store.run(casesql.RELEASE_ALL, (admin,)))

    def _is_online(self, admin: str) -> bool:
        presence = self._chat.presence
        return presence is not None and presence.find(admin) is not None
