"""A Socket.IO server that echoes events and acknowledges them.

    python -m tests.conformance.socketio_echo --port N

Namespaces, events and the interval of pings are those of the protocol's official test suite; their timeout is longer,
for busy machines.
"""

from __future__ import annotations

import argparse
import asyncio

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.turns import Turns
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth
from chatd.socketio.reasons import DisconnectReason
from chatd.socketio.server import SocketIoServer
from chatd.socketio.socket import EventName, Reply, Socket

ENGINE = EngineConfig(
    ping_interval_s=0.3,
    ping_timeout_s=2.0,
    max_payload_bytes=1_000_000,
    max_payload_before_join_bytes=1_000_000,
    origin=("*",),
    cors_credentials=False,
)
SOCKETIO = SocketIoConfig(connect_timeout_s=1.0)


# The official suite awaits one message at a time, with a `ws` that delivers all messages of one read at once: it
# misses messages that arrive together with the CONNECT answer.
GREETING_DELAY_S = 0.02


class Echo:
    """The handler of one socket of the main namespace."""

    def __init__(self, socket: Socket, auth: Auth) -> None:
        self.socket = socket
        self.auth = auth
        self._greeting: asyncio.TimerHandle | None = None

    def on_connect(self) -> None:
        self._greeting = asyncio.get_running_loop().call_later(GREETING_DELAY_S, self._greet)

    def _greet(self) -> None:
        """Send the auth of the handshake, once, before any answer."""
        if self._greeting is not None:
            self._greeting.cancel()
            self._greeting = None
            self.socket.emit("auth", self.auth)

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        self._greet()
        if event == "message":
            self.socket.emit("message-back", *args)
        elif event == "message-with-ack" and reply is not None:
            reply(*args)

    def on_disconnect(self, reason: DisconnectReason) -> None: ...


class Greeter(Echo):
    """The handler of one socket of the namespace `/custom`."""

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None: ...


def build(
    loop: asyncio.AbstractEventLoop, engine: EngineConfig = ENGINE, socketio: SocketIoConfig = SOCKETIO
) -> tuple[EngineServer, SocketIoServer]:
    timers, outbox = Timers(loop.time, loop.call_at), Outbox(loop.call_soon)
    server = SocketIoServer(socketio, timers, outbox)
    server.namespace("/", Echo)
    server.namespace("/custom", Greeter)
    turns = Turns(loop.time, loop.call_soon)
    return EngineServer(engine, timers, outbox, turns, EngineHooks(accept=server.accept)), server


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    engine, _ = build(loop)
    listener = await loop.create_server(engine.connection, "127.0.0.1", port)
    await listener.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
