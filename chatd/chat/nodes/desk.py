"""What an operator may do in a chat of several nodes, from a terminal on the machine of any of them.

Rules N-21 and A-16.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from chatd.base.errors import ConfigError, RefusedError
from chatd.chat.denials import Denials
from chatd.chat.desk import Desk, Found, log
from chatd.chat.nodes.chat import NodeChat
from chatd.chat.nodes.questions import Row

WHO: Final = "who"
KICK: Final = "kick"
DENY: Final = "deny"
DENIED: Final = "denied"
SESSIONS: Final = "sessions"


class NodeDesk(Desk):
    """Asks the other nodes as well, and answers them."""

    def __init__(self, chat: NodeChat) -> None:
        super().__init__(chat)
        self._peers = chat.shell.peers
        self._number = chat.node
        self._peers.questions.answers = {WHO: lambda _: self._people(), KICK: self._kick_here}

    async def who(self) -> Found:
        """See Desk.who. Each socket has its node."""
        found = await self._peers.ask(WHO)
        rows = {self._number: self._people(), **found.rows}
        people = [{**row, "node": node} for node, some in rows.items() for row in some]
        return {"people": people, "unanswered": found.unanswered}

    async def kick(self, user: str) -> Found:
        """See Desk.kick."""
        here = self._kick(user)
        found = await self._peers.ask(KICK, user)
        elsewhere = sum(_sessions(row) for rows in found.rows.values() for row in rows)
        return {SESSIONS: here + elsewhere, "unanswered": found.unanswered}

    async def deny_elsewhere(self, entry: str) -> list[int]:
        """See Desk.deny_elsewhere. Raises RefusedError."""
        found = await self._peers.ask(DENY, entry)
        failed = [node for node, rows in found.rows.items() if not any(row.get(DENIED) for row in rows)]
        return sorted({*found.unanswered, *failed})

    def answer_denials(self, denials: Denials) -> None:
        """See Desk.answer_denials."""

        def deny(entry: str) -> list[Row]:
            try:
                denials.add_at_once(entry)
            except (RefusedError, OSError, ConfigError) as error:
                log.error("the deny list cannot be written", extra={"cause": str(error)})
                return [{DENIED: 0}]
            return [{DENIED: 1}]

        self._peers.questions.answers = {**self._peers.questions.answers, DENY: deny}

    def nodes(self) -> Found:
        """See Desk.nodes."""
        return {"nodes": [dataclasses.asdict(row) for row in self._peers.rows()]}

    def _kick_here(self, user: str) -> list[Row]:
        return [{SESSIONS: self._kick(user)}]


def _sessions(row: Row) -> int:
    """Another node has written the row."""
    count = row.get(SESSIONS)
    return count if isinstance(count, int) else 0
