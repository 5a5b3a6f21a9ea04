"""An echo server in the test's process, listening as configured, with clients for TLS and unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from chatd.engineio.config import EngineConfig
from chatd.engineio.server import EngineServer
from chatd.listen.config import ListenConfig
from chatd.listen.listening import Listening
from tests.conformance.engineio_echo import build
from tests.conformance.wire import TIMEOUT_S, Client, Connection

PATH: Final = "/engine.io/"
QUIET: Final = EngineConfig(path=PATH, ping_interval_s=60, ping_timeout_s=60, max_payload_before_join_bytes=1_000_000)


class TlsClient(Client):
    """Connects by TLS. `certificate` of a connection is the server's certificate."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port, PATH)
        self._context = context
        self.shown: list[Any] = []

    async def connect(self, receive_buffer_bytes: int | None = None) -> Connection:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._context)
        self.shown.append(writer.get_extra_info("peercert"))
        return self._kept(Connection(reader, writer))

    def _kept(self, connection: Connection) -> Connection:
        self._connections.append(connection)
        return connection


class UnixClient(Client):
    """Connects to a unix socket."""

    def __init__(self, file: Path, path: str = PATH) -> None:
        super().__init__("localhost", 0, path)
        self._file = file

    async def connect(self, receive_buffer_bytes: int | None = None) -> Connection:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(self._file)
        connection = Connection(reader, writer)
        self._connections.append(connection)
        return connection


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """The running server."""

    listening: Listening
    engine: EngineServer

    def port(self, *, tls: bool = False) -> int:
        (port,) = {int(str(where["port"])) for where in self.listening.addresses if where.get("tls") is tls}
        return port


@contextlib.asynccontextmanager
async def served(
    engine: EngineConfig = QUIET, *, handshake_timeout_s: float = 5.0, **listen: Any
) -> AsyncIterator[Served]:
    """Serve on free ports. Fails if an exception reached the event loop, or if a connection is left open."""
    loop = asyncio.get_running_loop()
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    server = build(loop, engine)
    listening = Listening(
        ListenConfig(**{"port": 0, **listen}), server.connection, handshake_timeout_s=handshake_timeout_s
    )
    listening.start(PATH)
    try:
        yield Served(listening, server)
    finally:
        listening.close()
        server.close()
        async with asyncio.timeout(TIMEOUT_S):
            await server.connections.close(1.0)
        loop.set_exception_handler(None)
    assert not faults, faults
