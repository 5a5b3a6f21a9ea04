"""A server at a URL, and the actions of the cases. The observation of a case is a short text."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Self
from urllib.parse import urlsplit

from tests.conformance.wire import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    Answer,
    Client,
    ClosedError,
    PollingSession,
    RefusedUpgradeError,
    WebSocket,
)

PATIENCE_S: Final = 10.0
MARK: Final = b"are you there?"
HEARTBEAT: Final = "2"
NEW: Final = {"EIO": "4", "transport": "polling"}


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """`auth` is the payload of CONNECT, as JSON, or empty."""

    client: Client
    auth: str = ""

    @classmethod
    def of(cls, url: str, path: str, token: str | None) -> Self:
        """Raises ValueError if `url` is not an HTTP URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"not a URL of HTTP: {url}")
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        auth = "" if token is None else json.dumps({"token": token})
        return cls(Client(parts.hostname, port, path, tls), auth)

    async def joined(self) -> WebSocket:
        """A WebSocket whose client has joined the main namespace."""
        websocket = await self.client.websocket()
        await websocket.send(f"40{self.auth}")
        answer = await heard(websocket)
        if not answer.startswith("40"):
            raise ValueError(f"the main namespace was refused: {answer}")
        return websocket


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """`expected` is the observation of chatd under that rule of protocol.md."""

    rule: str
    about: str
    expected: str
    see: Callable[[Target], Awaitable[str]]


async def heard(websocket: WebSocket) -> str:
    """The next text message that is no heartbeat."""
    while (message := await websocket.receive()) == HEARTBEAT:
        pass
    return str(message)


async def fate(websocket: WebSocket) -> str:
    """The server's reaction to all that was sent: it answers a later WebSocket ping, or closes the connection."""
    with contextlib.suppress(ConnectionError):
        await websocket.send_frame(PING, MARK)
    try:
        while (frame := await websocket.receive_frame()).opcode != CLOSE:
            if (frame.opcode, frame.payload) == (PONG, MARK):
                return "goes on"
    except ClosedError:
        return "cut off"
    return f"closed, {int.from_bytes(frame.payload[:2])}" if frame.payload else "closed without a code"


async def fate_after(websocket: WebSocket, *messages: str | bytes) -> str:
    for message in messages:
        await websocket.send(message)
    return await fate(websocket)


def seen(answer: Answer) -> str:
    """The status, and the code of a refusal."""
    try:
        return f"{answer.status}, code {answer.json()['code']}"
    except (ValueError, TypeError, KeyError):
        return str(answer.status)


async def life(session: PollingSession) -> str:
    """Whether the server still has the session."""
    return "lives" if await session.is_alive() else "is gone"


async def handshake(target: Target, headers: dict[str, str] | None = None, **query: str) -> str:
    """The answer to a WebSocket handshake, and what follows a 101 that opens no session."""
    try:
        websocket = await target.client.raw_websocket(headers or {}, early=b"", **query)
    except RefusedUpgradeError as refused:
        return seen(refused.answer)
    try:
        frame = await websocket.receive_frame()
    except (ClosedError, AssertionError):
        return "101, then no frame"
    return "101, open" if frame.opcode == TEXT and frame.payload.startswith(b"0") else "101, then another frame"
