"""The listener of the API and its server. Rules A-01 and A-23."""

from __future__ import annotations

import asyncio
import dataclasses
import functools

from chatd.api import log
from chatd.api.call import explained
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
from chatd.listen.tls import Tls
from chatd.ops.httplistener import HttpListener
from chatd.ops.sources import Sources


class ApiListener:
    """Listens from its creation, answers from `start` to `close`."""

    def __init__(
        self,
        config: ApiConfig,
        engine: EngineConfig,
        parts: ChatParts,
        people: People,
        sources: Sources,
        tls: Tls | None,
    ) -> None:
        """Raises ConfigError and ListenError."""
        limits = dataclasses.replace(
            engine,
            max_connections=config.api_max_connections,
            max_connections_per_address=config.api_max_connections_per_address,
        )
        explain = functools.partial(explained, level=config.answer_level)
        self.http = HttpListener(config.api_address, "--api HOST:PORT", limits, log, tls, explain)
        self.door = ApiDoor(config, asyncio.get_running_loop().time)
        streams = Streams(
            parts.chat.messages.feed,
            parts.chat.store,
            self.door,
            StreamLimits(
                config.api_max_streams,
                config.api_max_streams_per_key,
                config.api_heartbeat_s,
                config.api_stream_timeout_s,
            ),
            self.http.connections.discard,
        )
        operations = Parts(Chat(parts.chat.router), people, sources, streams, encoded)
        self._server = ApiServer(config, self.door, self.http.timers, operations)

    def start(self) -> None:
        for address in self.http.start(self._server.on_request):
            log.info("listening for other systems", extra=address)

    async def close(self) -> None:
        """Idempotent."""
        await self.http.close()
