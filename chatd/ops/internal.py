"""The internal listener: what load balancers, Prometheus and people with curl ask. Nobody is asked who they are.

    /healthz   200 if the event loop turns: whoever gets no answer within seconds should start the process again
    /readyz    200 if clients are welcome and the database can be written, else 503: send nobody new here
    /metrics   the text format of Prometheus

It stays open until the end of a stop, so that /readyz can say that there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from chatd.engineio.config import EngineConfig
from chatd.engineio.connections import Connections
from chatd.engineio.exchange import Exchange
from chatd.engineio.http import HttpConnection
from chatd.engineio.limits import Limit
from chatd.engineio.proxies import Proxies
from chatd.engineio.turns import Turns
from chatd.listen.arrivals import Arrivals
from chatd.listen.limits import ListenLimit
from chatd.listen.listener import Listener
from chatd.listen.tcp import open_tcp
from chatd.ops import log
from chatd.ops.exposition import CONTENT_TYPE, Exposition
from chatd.ops.metric import Sources
from chatd.refusals import Refusals
from chatd.tasks import Tasks
from chatd.timers import Timers

# Scrapes and probes are few; whoever opens more connections than three times as many is cut.
MAX_CLIENTS: Final = 20

# A load balancer asks again after some seconds, and a disk that hangs does not answer.
PROBE_TIMEOUT_S: Final = 2.0

_TEXT: Final = b"text/plain; charset=utf-8"

Answer = Callable[[Exchange], None]


class InternalListener:
    """Open from birth, answering from `start` to `close`."""

    def __init__(self, host: str, port: int, sources: Sources) -> None:
        """Raises ListenError."""
        loop = asyncio.get_running_loop()
        config = EngineConfig(max_connections=MAX_CLIENTS, max_connections_per_address=0)
        self._timers = Timers(loop.time, loop.call_at)
        self._connections = Connections(config, Proxies(()), Refusals(Limit, loop.time, log))
        self._turns = Turns(loop.time, loop.call_soon)
        self._config = config
        self._sources = sources
        self._exposition = Exposition(sources)
        self._probes = Tasks()
        self._routes: Mapping[str, Answer] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }
        refusals = Refusals(ListenLimit, loop.time, log)
        self._listeners = [
            Listener(opened, self._connection, refusals, Arrivals(), max_files=None, tls=None)
            for opened in open_tcp([host], port, "--internal HOST:PORT")
        ]

    def start(self) -> None:
        for listener in self._listeners:
            listener.start()
            host, port, *_ = listener.socket.getsockname()
            log.info("listening for operators", extra={"host": host, "port": port})

    async def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        await self._connections.close(0)

    def _connection(self) -> HttpConnection:
        return HttpConnection(
            self._on_request,
            self._timers,
            self._connections,
            self._turns,
            request_timeout_s=self._config.request_timeout_s,
            max_header_bytes=self._config.max_header_bytes,
        )

    def _on_request(self, exchange: Exchange) -> None:
        answer = self._routes.get(exchange.request.path)
        if answer is None:
            _say(exchange, 404, f"there are {', '.join(self._routes)}")
        elif exchange.request.method not in {"GET", "HEAD"}:
            exchange.headers.append((b"Allow", b"GET, HEAD"))
            _say(exchange, 405, "only GET")
        else:
            answer(exchange)

    def _health(self, exchange: Exchange) -> None:
        _say(exchange, 200, f"ok, the loop was {self._sources.lag.last_s * 1000:.1f} ms late")

    def _readiness(self, exchange: Exchange) -> None:
        """What the database says comes later; the client may have gone by then."""
        gate = self._sources.gate
        if not gate.is_open:
            _say(exchange, 503, gate.state.value)
            return
        probe = self._probes.start(self._probe(exchange), "probe of the database")
        exchange.on_lost = probe.cancel  # type: ignore[assignment]  # what it returns is of no use

    async def _probe(self, exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                fault = await self._sources.watched.store.fault()
        except TimeoutError:
            fault = f"the database has not answered for {PROBE_TIMEOUT_S:g} s"
        if fault is None and self._sources.watched.nodes is not None:
            fault = self._sources.watched.nodes.fault
        if fault is None:
            _say(exchange, 200, "ready")
        else:
            _say(exchange, 503, fault)

    def _metrics(self, exchange: Exchange) -> None:
        _respond(exchange, 200, self._exposition.text(), CONTENT_TYPE.encode())


def _say(exchange: Exchange, status: int, line: str) -> None:
    _respond(exchange, status, f"{line}\n".encode(), _TEXT)


def _respond(exchange: Exchange, status: int, body: bytes, content_type: bytes) -> None:
    exchange.respond(status, body, [(b"Content-Type", content_type), (b"Cache-Control", b"no-store")])
