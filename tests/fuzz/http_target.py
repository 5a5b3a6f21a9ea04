"""The server from HTTP bytes to a socket's handler, in memory: h11, requests, polling, WebSocket, packets.

An input is what one client sends, cut where it says `~CUT~`; `~SID~` stands for the id of a session on long-polling
that was opened before, and `~NEW~` begins another connection.
"""

from __future__ import annotations

from typing import Final

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.turns import Turns
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import EventName, Reply, Socket
from tests.fuzz.lasting import LastingServer, attack_on
from tests.fuzz.memory import MemoryTransport

CUT: Final = b"~CUT~"
SID: Final = b"~SID~"
NEW: Final = b"~NEW~"

HANDSHAKE: Final = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"

# Longer than two consecutive deadlines.
FOR_EVER_S: Final = 1_000.0


class Echo:
    """A handler that echoes events."""

    def __init__(self, socket: Socket, auth: Auth) -> None:
        self._socket = socket

    def on_connect(self) -> None: ...

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        if reply is not None:
            reply({"ok": True})
        self._socket.emit("heard", len(args))

    def on_disconnect(self, reason: object) -> None: ...


class Server(LastingServer):
    """One server for all inputs of a process; an input must leave no state behind."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = Timers(self.loop.time, self.loop.call_at)
        outbox = Outbox(self.loop.call_soon)
        self.socketio = SocketIoServer(SocketIoConfig(), self.timers, outbox)
        self.socketio.namespace("/", Echo)
        config = EngineConfig(max_payload_bytes=1_000, max_header_bytes=1_024, max_packets=5, accept_rate=0)
        turns = Turns(self.loop.time, self.loop.call_soon)
        self.engine = EngineServer(config, self.timers, outbox, turns, EngineHooks(accept=self.socketio.accept))

    async def attack(self, data: bytes) -> None:
        data = data.replace(SID, await self._open_session())
        connections = [await self._send(part) for part in data.split(NEW)]
        for connection in connections:
            connection.lose()
        for _ in range(5):
            self.loop.skip(FOR_EVER_S)
            await self.turns()
        left = len(self.engine.sessions), len(self.engine.connections), self.timers.armed(), len(self.socketio.tasks)
        assert left == (0, 0, 0, 0), left

    async def _open_session(self) -> bytes:
        transport = MemoryTransport(self.engine.connection())
        transport.receive(HANDSHAKE)
        while not transport.sent:  # the rate limit may delay this address: the previous input used its budget
            await self.turns()
        transport.lose()
        return bytes(transport.sent).split(b'"')[3]

    async def _send(self, data: bytes) -> MemoryTransport:
        transport = MemoryTransport(self.engine.connection())
        for piece in data.split(CUT):
            transport.receive(piece)
            await self.turns()
        return transport


attack_server = attack_on(Server)
