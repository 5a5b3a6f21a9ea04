"""Requests of `chatd doctor` to a deployment: polling requests and WebSockets."""

from __future__ import annotations

import dataclasses
import http.client
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

PATIENCE_S: Final = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: str


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """The address of the deployment, and the user to connect as."""

    secure: bool
    host: str
    port: int
    path: str
    origin: str
    token: str | None
    cookie: str
    context: ssl.SSLContext
    console: bool = False
    """Whether the console must be served."""

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Cookie": f"{self.cookie}={self.token}"}

    def request(
        self, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None, **query: str
    ) -> Answer:
        """One polling request. Raises OSError and HTTPException."""
        target = f"{self.path}?{urlencode({'EIO': '4', 'transport': 'polling', **query})}"
        return self.get(target, method, body, headers)

    def get(
        self, target: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any request. Raises OSError and HTTPException."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        options: dict[str, Any] = {"context": self.context} if self.secure else {}
        connection = kind(self.host, self.port, timeout=PATIENCE_S, **options)
        try:
            connection.request(method, target, body, {**self.headers, **(headers or {})})
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read().decode(errors="replace"))
        finally:
            connection.close()

    def websocket(self, **query: str) -> AbstractContextManager[ClientConnection]:
        """Raises OSError, TimeoutError and WebSocketException."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = {"EIO": "4", "transport": "websocket", **query}
        return connect(
            f"{'wss' if self.secure else 'ws'}://{host}:{self.port}{self.path}?{urlencode(query)}",
            origin=Origin(self.origin),
            additional_headers=self.headers,
            ssl=self.context if self.secure else None,
            open_timeout=PATIENCE_S,
            close_timeout=1,
            proxy=None,
        )
