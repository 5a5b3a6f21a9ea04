"""An Engine.IO server alone, inside the test, with a handler that echoes and records."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.reasons import CloseReason
from chatd.engineio.request import Request
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.session import Session
from chatd.engineio.sid import Sid
from chatd.engineio.turns import Turns
from tests.conformance.serving import serving
from tests.conformance.wire import TIMEOUT_S, Client

# So long that no heartbeat disturbs other tests.
QUIET: Final = EngineConfig(
    path="/engine.io/", ping_interval_s=60, ping_timeout_s=60, max_payload_before_join_bytes=1_000_000
)


class Peer:
    """The server's side of one session: echoes messages, and records them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages: list[str | bytes] = []
        self._end: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()

    def on_message(self, data: str | bytes) -> None:
        self.messages.append(data)
        self.session.send(data)

    def on_close(self, reason: CloseReason) -> None:
        self._end.set_result(reason)

    async def end(self) -> CloseReason:
        """Wait for the end of the session."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self._end


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """A running server, its client, and the server's side of every session so far."""

    client: Client
    server: EngineServer
    peers: dict[str, Peer]

    def peer(self, sid: str) -> Peer:
        return self.peers[sid]

    def session(self, sid: str) -> Session:
        return self.server.sessions[Sid(sid)]


@contextlib.asynccontextmanager
async def running(
    authorize: Callable[[Request], str | None] = lambda request: None, node: int = 0, **settings: Any
) -> AsyncIterator[Engine]:
    """A server with QUIET changed by `settings`."""
    loop = asyncio.get_running_loop()
    config = dataclasses.replace(QUIET, **settings)
    peers: dict[str, Peer] = {}

    def accept(session: Session) -> Peer:
        return peers.setdefault(session.sid, Peer(session))

    hooks = EngineHooks(accept=accept, authorize=authorize)
    timers, outbox, turns = Timers(loop.time, loop.call_at), Outbox(loop.call_soon), Turns(loop.time, loop.call_soon)
    server = EngineServer(config, timers, outbox, turns, hooks, node)
    async with serving(server.connection, config.path) as client:
        yield Engine(client, server, peers)
