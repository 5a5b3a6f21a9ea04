"""An HTTP listener on a second port: its sockets, its connections, and their limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatd.base.refusals import Refusals
from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections, Explain, unexplained
from chatd.engineio.exchange import Exchange
from chatd.engineio.http import HttpConnection
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import Proxies
from chatd.engineio.turns import Turns
from chatd.listen.arrivals import Arrivals
from chatd.listen.limits import ListenLimit
from chatd.listen.listener import Listener
from chatd.listen.tcp import open_tcp

if TYPE_CHECKING:
    from chatd.listen.tls import Tls

OnRequest = Callable[[Exchange], None]


class HttpListener:
    """Opens its sockets when created; answers from `start` to `close`.

    `config` has the limits; limits of clients count connections here. `flag` is the command-line option that chooses
    another port, for the error message.
    """

    def __init__(
        self,
        address: tuple[str, int],
        flag: str,
        config: EngineConfig,
        log: logging.Logger,
        tls: Tls | None = None,
        explain: Explain = unexplained,
    ) -> None:
        """Raises ListenError."""
        loop = asyncio.get_running_loop()
        self.refusals = Refusals(Limit, loop.time, log)
        self.listen_refusals = Refusals(ListenLimit, loop.time, log)
        self.timers = Timers(loop.time, loop.call_at)
        self.connections = Connections(config, Proxies(()), self.refusals, per_client=1, spare=0)
        self.connections.explain = explain
        self._turns = Turns(loop.time, loop.call_soon)
        self._config = config
        self._on_request: OnRequest
        host, port = address
        self._listeners = [
            Listener(opened, self._connection, self.listen_refusals, Arrivals(), max_files=None, tls=tls)
            for opened in open_tcp([host], port, flag)
        ]

    def start(self, on_request: OnRequest) -> list[dict[str, object]]:
        """Start to answer. Returns host and port of each socket, for the log."""
        self._on_request = on_request
        for listener in self._listeners:
            listener.start()
        names = [listener.socket.getsockname() for listener in self._listeners]
        return [{"host": host, "port": port} for host, port, *_ in names]

    async def close(self) -> None:
        """Idempotent."""
        for listener in self._listeners:
            listener.close()
        await self.connections.close(0)

    def _connection(self) -> HttpConnection:
        return HttpConnection(
            self._on_request,
            self.timers,
            self.connections,
            self._turns,
            request_timeout_s=self._config.request_timeout_s,
            max_header_bytes=self._config.max_header_bytes,
        )
