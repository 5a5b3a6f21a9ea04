"""A small application on the Socket.IO layer, inside the test, which records events and lets tests use its sockets.

/         admits every client
/custom   admits every client
/auth     admits clients with {"token": "good"}
/slow     admits every client, once the test says so: `app.knocks`
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Final

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.turns import Turns
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth, ConnectRefusedError, Namespace
from chatd.socketio.reasons import DisconnectReason
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import EventName, Reply, Socket
from tests.conformance.serving import serving
from tests.conformance.wire import TIMEOUT_S, Client

# So long that no heartbeat disturbs other tests.
QUIET: Final = EngineConfig(ping_interval_s=60, ping_timeout_s=60)


class Guest:
    """The handler of one socket: echoes `echo`, acknowledges `ack`, and records every event."""

    def __init__(self, socket: Socket, auth: Auth) -> None:
        self.socket = socket
        self.auth = auth
        self.events: list[tuple[EventName, list[object]]] = []
        self.left: asyncio.Future[DisconnectReason] = asyncio.get_running_loop().create_future()

    def on_connect(self) -> None: ...

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        self.events.append((event, args))
        if event == "echo":
            self.socket.emit("echo", *args)
        elif event == "ack" and reply is not None:
            reply(*args)

    def on_disconnect(self, reason: DisconnectReason) -> None:
        self.left.set_result(reason)

    async def end(self) -> DisconnectReason:
        """Wait for the end of the socket."""
        async with asyncio.timeout(TIMEOUT_S):
            return await asyncio.shield(self.left)


class App:
    """The running application."""

    def __init__(self, engine: EngineConfig, config: SocketIoConfig) -> None:
        loop = asyncio.get_running_loop()
        timers, outbox = Timers(loop.time, loop.call_at), Outbox(loop.call_soon)
        self.server = SocketIoServer(config, timers, outbox)
        turns = Turns(loop.time, loop.call_soon)
        self.engine = EngineServer(engine, timers, outbox, turns, EngineHooks(accept=self.server.accept))
        self.guests: dict[str, list[Guest]] = {"/": [], "/custom": [], "/auth": [], "/slow": []}
        self.knocks: list[asyncio.Future[None]] = []
        self.client: Client
        self.server.namespace("/", self._welcome)
        self.server.namespace("/custom", self._welcome)
        self.server.namespace("/auth", self._check)
        self.server.namespace("/slow", self._hesitate)

    @property
    def main(self) -> Namespace:
        return self.server.namespaces["/"]

    def guest(self, namespace: str = "/") -> Guest:
        """The guest of the last CONNECT."""
        return self.guests[namespace][-1]

    def _welcome(self, socket: Socket, auth: Auth) -> Guest:
        guest = Guest(socket, auth)
        self.guests[socket.namespace.name].append(guest)
        return guest

    def _check(self, socket: Socket, auth: Auth) -> Guest:
        if auth.get("token") != "good":
            raise ConnectRefusedError("not allowed", {"code": 42})
        return self._welcome(socket, auth)

    async def _hesitate(self, socket: Socket, auth: Auth) -> Guest:
        knock: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.knocks.append(knock)
        await knock
        return self._welcome(socket, auth)


@contextlib.asynccontextmanager
async def running(engine: EngineConfig = QUIET, **settings: float) -> AsyncIterator[App]:
    """An app with `settings` in place of the defaults of Socket.IO."""
    app = App(engine, dataclasses.replace(SocketIoConfig(), **settings))  # type: ignore[arg-type]  # numbers, all
    async with serving(app.engine.connection, engine.path) as app.client:
        yield app
