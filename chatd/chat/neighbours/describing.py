"""`fetchSockets`: what a Node.js node is told of the sockets here. Rules N-36 and N-43.

An answer about ten thousand sockets takes longer than a turn of the loop may: it is made some sockets at a time, and
one answer after the other, by one task.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from chatd.base.tasks import Tasks
from chatd.chat.neighbours.roster import Entered, Roster
from chatd.cluster.adapter import said
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.frames import Options

MAX_WAITING: Final = 100
"""Questions, beside the one that is being answered."""

MAX_WAITING_CHARS: Final = 1_048_576
"""Of the rooms that they name, or one question."""

SOCKETS_A_TURN: Final = 25

# Of the query of a handshake: what may be shown, as it is no secret.
_SHOWN: Final = frozenset({"EIO", "transport"})


class Describer:
    """`answer` publishes what goes back; `path` and `secure` say how clients connect."""

    def __init__(self, roster: Roster, answer: Callable[[bytes], None], path: str, *, secure: bool) -> None:
        self._roster = roster
        self._answer = answer
        self._path = path
        self._secure = secure
        self._line: deque[tuple[str, Options]] = deque()
        self._chars = 0
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    def ask(self, request_id: str, options: Options) -> None:
        """Raises ForeignError."""
        if len(self._line) >= MAX_WAITING:
            raise ForeignError(Fault.PENDING, f"more than {MAX_WAITING} questions wait for an answer")
        chars = _chars(options)
        if self._line and self._chars + chars > MAX_WAITING_CHARS:
            raise ForeignError(Fault.PENDING, f"{MAX_WAITING_CHARS} characters of rooms wait for an answer")
        self._chars += chars
        self._line.append((request_id, options))
        if self._task is None:
            self._task = self._tasks.start(self._work(), "sockets for a Node.js node")

    def close(self) -> None:
        """Idempotent."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._line:
                request_id, options = self._line.popleft()
                self._chars -= _chars(options)
                self._answer(said.sockets(request_id, await self._found(options)))
        finally:
            self._task = None

    async def _found(self, options: Options) -> list[msgspec.Raw]:
        found = []
        for number, entered in enumerate(list(self._roster.entered(options)), 1):
            if entered.member.socket.joined:
                found.append(said.raw(self._described(entered)))
            if number % SOCKETS_A_TURN == 0:
                await asyncio.sleep(0)
        return found

    def _described(self, entered: Entered) -> dict[str, object]:
        """As Node.js describes a socket, without what could speak for its user: cookies and other headers, `auth`."""
        member = entered.member
        socket, identity = member.socket, member.identity
        query = dict(pair for pair in parse_qsl(socket.session.handshake.query_string) if pair[0] in _SHOWN)
        handshake = {
            "headers": {},
            "time": _time(entered.since_ms),
            "address": socket.session.handshake.address,
            "xdomain": False,
            "secure": self._secure,
            "issued": entered.since_ms,
            "url": f"{self._path}?{urlencode(query)}",
            "query": query,
            "auth": {},
        }
        return {
            "id": socket.id,
            "handshake": handshake,
            "rooms": [socket.id, *socket.rooms],
            "data": {"user": identity.user, "name": identity.name, "rol": identity.rol},
        }


def _chars(options: Options) -> int:
    """Of the rooms that a question names."""
    return sum(len(str(room)) for room in (*options.rooms, *(options.exclude or ())))


def _time(since_ms: int) -> str:
    """As Date.prototype.toString says it, in UTC. asctime knows no languages, and takes a tenth of strftime's time."""
    text = time.asctime(time.gmtime(since_ms // 1000))
    date, day, clock, year = text[:8], text[8:10], text[11:19], text[20:]
    return f"{date}{day.replace(' ', '0')} {year} {clock} GMT+0000 (Coordinated Universal Time)"
