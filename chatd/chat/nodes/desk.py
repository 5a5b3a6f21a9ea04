"""What an operator may do in a chat of several nodes, from a terminal on the machine of any of them. Rule N-21."""

from __future__ import annotations

import dataclasses
from typing import Final

from chatd.chat.desk import Desk, Found
from chatd.chat.nodes.peers import Peers
from chatd.chat.nodes.questions import Row
from chatd.chat.router import ChatRouter
from chatd.socketio.namespace import Namespace

WHO: Final = "who"
KICK: Final = "kick"
SESSIONS: Final = "sessions"


class NodeDesk(Desk):
    """Asks the other nodes as well, and answers them."""

    def __init__(self, peers: Peers, number: int, namespace: Namespace, router: ChatRouter) -> None:
        super().__init__(namespace, router)
        self._peers = peers
        self._number = number
        peers.questions.answers = {WHO: lambda _: self._people(), KICK: self._kick_here}

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

    def nodes(self) -> Found:
        """See Desk.nodes."""
        return {"nodes": [dataclasses.asdict(row) for row in self._peers.rows()]}

    def _kick_here(self, user: str) -> list[Row]:
        return [{SESSIONS: self._kick(user)}]


def _sessions(row: Row) -> int:
    """Another node has written the row."""
    count = row.get(SESSIONS)
    return count if isinstance(count, int) else 0
