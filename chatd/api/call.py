"""One request of the API until its answer. Exactly one of `answer`, `refuse` and `stream` ends it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from chatd.api import log
from chatd.api.keys import Key
from chatd.api.problem import CONTENT_TYPE, headers_of, problem_of, refusal_of_http
from chatd.base.errors import RefusedError
from chatd.base.timers import Timers
from chatd.engineio.exchange import Exchange

Header = tuple[bytes, bytes]

_JSON: Final[Header] = (b"Content-Type", b"application/json")
_NO_STORE: Final[Header] = (b"Cache-Control", b"no-store")
_REVALIDATE: Final[Header] = (b"Cache-Control", b"private, no-cache")


class Call:
    """`key` is None if none is needed; `query` and `body` are parsed by their declarations."""

    __slots__ = (
        "_exchange", "_level", "_on_late", "_timers", "body", "due_tick", "key", "operation", "params", "query",
        "request_id",
    )  # fmt: skip

    def __init__(self, exchange: Exchange, timers: Timers, request_id: str, level: int) -> None:
        """`level` is that of the log line about the answer."""
        self.due_tick = 0
        self._exchange: Exchange | None = exchange
        self._timers = timers
        self._on_late: Callable[[], None]
        self._level = level
        self.request_id = request_id
        self.operation = ""
        self.key: Key | None = None
        self.params: Mapping[str, str] = {}
        self.query: Any = None
        self.body: Any = None

    @property
    def is_head(self) -> bool:
        """Whether the client wants an answer without its body."""
        return self._exchange is not None and self._exchange.request.method == "HEAD"

    @property
    def last_event_id(self) -> str | None:
        """What a client of server-sent events sends when it comes back."""
        return None if self._exchange is None else self._exchange.request.header(b"last-event-id")

    def wait(self, timeout_s: float, on_late: Callable[[], None]) -> None:
        """The answer will come later. If it does not come in time, `on_late` is called and refuses the request."""
        if self._exchange is not None:
            self._exchange.on_lost = self._on_lost
            self._on_late = on_late
            self._timers.arm(self, timeout_s)

    def on_deadline(self) -> None:
        self._on_late()

    def answer(self, answer: object, status: int = 200) -> None:
        """Rule A-10: answers to GET have an ETag; a client that has the current answer gets 304."""
        body = msgspec.json.encode(answer)
        if self._exchange is None or self._exchange.request.method not in {"GET", "HEAD"}:
            self._respond(status, body, [_JSON, _NO_STORE])
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = [(b"ETag", tag.encode()), _REVALIDATE]
        known = self._exchange.request.header(b"if-none-match") or ""
        if tag in known or known == "*":
            self._respond(304, b"", headers)
        else:
            self._respond(status, body, [_JSON, *headers])

    def refuse(self, error: RefusedError, headers: Sequence[Header] = ()) -> None:
        """Rule A-05."""
        problem = problem_of(error, self.request_id)
        self._respond(problem.status, msgspec.json.encode(problem), [*headers_of(problem), _NO_STORE, *headers])

    def empty(self, headers: Sequence[Header]) -> None:
        self._respond(200, b"", headers)

    def stream(self, protocol: asyncio.Protocol, headers: Sequence[Header], first: bytes) -> None:
        """Answer 200; the rest of the connection belongs to `protocol`."""
        exchange = self._end()
        if exchange is not None:
            self._log(exchange, 200)
            exchange.stream(protocol, [*headers, self._id_header()], first)

    def _respond(self, status: int, body: bytes, headers: Sequence[Header]) -> None:
        exchange = self._end()
        if exchange is not None:
            self._log(exchange, status)
            exchange.respond(status, body, [*headers, self._id_header()])

    def _id_header(self) -> Header:
        return b"X-Request-Id", self.request_id.encode()

    def _end(self) -> Exchange | None:
        """None if the client has disconnected or has its answer."""
        self._timers.cancel(self)
        exchange, self._exchange = self._exchange, None
        return exchange

    def _on_lost(self) -> None:
        self._end()

    def _log(self, exchange: Exchange, status: int) -> None:
        said = {
            "request_id": self.request_id,
            "method": exchange.request.method,
            "operation": self.operation,
            "key": None if self.key is None else self.key.name,
            "status": status,
        }
        _tell(self._level, said)


def explained(status: int, level: int) -> tuple[bytes, list[Header]]:
    """The answer to what is refused before there is a call: its body and headers. Rule A-33."""
    request_id = new_request_id()
    _tell(level, {"request_id": request_id, "status": status})
    document = msgspec.json.encode(problem_of(refusal_of_http(status), request_id))
    return document, [(b"Content-Type", CONTENT_TYPE), _NO_STORE, (b"X-Request-Id", request_id.encode())]


def _tell(level: int, said: Mapping[str, object]) -> None:
    if level >= logging.INFO:
        log.info("answered", extra=said)
    else:
        log.debug("answered", extra=said)


def new_request_id() -> str:
    return secrets.token_hex(8)
