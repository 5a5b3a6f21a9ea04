"""The listener of the API: sockets, connections, and what serves their requests. Rule A-01."""

from __future__ import annotations

import asyncio
import dataclasses

from chatd.api import log
from chatd.api.chat import Chat
from chatd.api.config import ApiConfig
from chatd.api.door import ApiDoor
from chatd.api.openapi import encoded
from chatd.api.operation import Parts
from chatd.api.people import People
from chatd.api.server import ApiServer
from chatd.api.stream import StreamLimits, Streams
from chatd.chat.parts import ChatParts
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections
from chatd.engineio.http import HttpConnection
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import Proxies
from chatd.engineio.turns import Turns
from chatd.listen.arrivals import Arrivals
from chatd.listen.limits import ListenLimit
from chatd.listen.listener import Listener
from chatd.listen.tcp import open_tcp
from chatd.listen.tls import Tls
from chatd.ops.metric import Sources
from chatd.refusals import Refusals
from chatd.timers import Timers


class ApiListener:
    """Open from birth, answering from `start` to `close`."""

    def __init__(
        self,
        config: ApiConfig,
        engine: EngineConfig,
        chat: ChatParts,
        people: People,
        sources: Sources,
        tls: Tls | None,
    ) -> None:
        """Raises ConfigError and ListenError."""
        loop = asyncio.get_running_loop()
        self._engine = dataclasses.replace(
            engine, max_connections=config.api_max_connections, max_connections_per_address=config.api_max_connections
        )
        self.door = ApiDoor(config, loop.time)
        self.http_refusals = Refusals(Limit, loop.time, log)
        self._timers = Timers(loop.time, loop.call_at)
        self._connections = Connections(self._engine, Proxies(()), self.http_refusals)
        self._turns = Turns(loop.time, loop.call_soon)
        streams = Streams(
            chat.router.feed,
            chat.store,
            self.door,
            StreamLimits(config.api_max_streams, config.api_heartbeat_s),
            self._connections.discard,
        )
        self._server = ApiServer(
            config, self.door, self._timers, Parts(Chat(chat.router), people, sources, streams, encoded)
        )
        refusals = Refusals(ListenLimit, loop.time, log)
        host, port = config.api_address
        self._listeners = [
            Listener(opened, self._connection, refusals, Arrivals(), max_files=None, tls=tls)
            for opened in open_tcp([host], port, "--api HOST:PORT")
        ]

    def start(self) -> None:
        for listener in self._listeners:
            listener.start()
            host, port, *_ = listener.socket.getsockname()
            log.info("listening for other systems", extra={"host": host, "port": port})

    async def close(self) -> None:
        """Idempotent."""
        for listener in self._listeners:
            listener.close()
        await self._connections.close(0)

    def _connection(self) -> HttpConnection:
        return HttpConnection(
            self._server.on_request,
            self._timers,
            self._connections,
            self._turns,
            request_timeout_s=self._engine.request_timeout_s,
            max_header_bytes=self._engine.max_header_bytes,
        )
