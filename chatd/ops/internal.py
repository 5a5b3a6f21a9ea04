"""The internal listener: for load balancers, Prometheus and curl, without authentication.

    /healthz   200 while the event loop runs; if no answer comes within seconds, restart the process
    /readyz    200 if clients are admitted, the database can be written and a key for tokens is known, else 503: send no
               new clients here
    /metrics   the text format of Prometheus

It stays open until the end of a stop, so that /readyz answers 503 meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from chatd.base.tasks import Tasks
from chatd.engineio.config import EngineConfig
from chatd.engineio.exchange import Exchange
from chatd.ops import log
from chatd.ops.exposition import CONTENT_TYPE, Exposition
from chatd.ops.httplistener import HttpListener
from chatd.ops.sources import Sources

MAX_CONNECTIONS: Final = 76

# A load balancer repeats its probe after some seconds; a disk that hangs never answers.
PROBE_TIMEOUT_S: Final = 2.0

_TEXT: Final = b"text/plain; charset=utf-8"

Answer = Callable[[Exchange], None]


class InternalListener:
    """Listens from its creation, answers from `start` to `close`."""

    def __init__(self, host: str, port: int, sources: Sources) -> None:
        """Raises ListenError."""
        config = EngineConfig(max_connections=MAX_CONNECTIONS, max_connections_per_address=0)
        self._http = HttpListener((host, port), "--internal HOST:PORT", config, log)
        self._sources = sources
        self._exposition = Exposition(sources)
        self._probes = Tasks()
        self._routes: Mapping[str, Answer] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }

    def start(self) -> None:
        for address in self._http.start(self._on_request):
            log.info("listening for operators", extra=address)

    async def close(self) -> None:
        await self._http.close()

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
        """Start a probe of the database; it ends early if the client disconnects."""
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
        fault = fault or self._sources.watched.fault()
        if fault is None:
            worry = self._sources.watched.worry()
            _say(exchange, 200, "ready" if worry is None else f"ready, but {worry}")
        else:
            _say(exchange, 503, fault)

    def _metrics(self, exchange: Exchange) -> None:
        _respond(exchange, 200, self._exposition.text(), CONTENT_TYPE.encode())


def _say(exchange: Exchange, status: int, line: str) -> None:
    _respond(exchange, status, f"{line}\n".encode(), _TEXT)


def _respond(exchange: Exchange, status: int, body: bytes, content_type: bytes) -> None:
    exchange.respond(status, body, [(b"Content-Type", content_type), (b"Cache-Control", b"no-store")])
