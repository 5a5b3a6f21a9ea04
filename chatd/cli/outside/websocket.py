"""Checks that clients can connect by WebSocket, and upgrade to it from polling."""

from __future__ import annotations

from typing import Final

from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from chatd.cli.deployment import PATIENCE_S, Deployment
from chatd.cli.outside.outcome import ANOTHER_SERVER, NODES_ADVICE, FoundError, advice_for
from chatd.cli.outside.polling import close, opened_by

UNKNOWN_SESSION: Final = '"code":1,'
HEADERS_ADVICE: Final = "let the proxy pass the headers Upgrade and Connection, with HTTP/1.1 to chatd"


def websocket(deployment: Deployment) -> str:
    try:
        with deployment.websocket() as connection:
            first = connection.recv(PATIENCE_S)
    except (OSError, WebSocketException) as error:
        raise _refused(error) from error
    if not str(first).startswith("0{"):
        raise FoundError(f"it says {str(first)[:40]!r}", ANOTHER_SERVER)
    return "opened"


def upgrade(deployment: Deployment) -> str:
    sid = opened_by(deployment.request()).sid
    try:
        _upgrade(deployment, sid)
    except (OSError, WebSocketException) as error:
        close(deployment, sid)
        raise _refused(error) from error
    except FoundError:
        close(deployment, sid)
        raise
    return "polling goes over to WebSocket"


def _upgrade(deployment: Deployment, sid: str) -> None:
    with deployment.websocket(sid=sid) as connection:
        connection.send("2probe")
        if connection.recv(PATIENCE_S) != "3probe":
            raise FoundError("the probe is not answered", ANOTHER_SERVER)
        connection.send("5")
        connection.send("40")
        said = [str(connection.recv(PATIENCE_S))]
        while not said[-1].startswith("4"):
            said.append(str(connection.recv(PATIENCE_S)))


def _refused(error: Exception) -> FoundError:
    if isinstance(error, InvalidStatus):
        body = (error.response.body or b"").decode(errors="replace")
        seen = f"status {error.response.status_code} instead of 101: {' '.join(body.split())[:100]}"
        if UNKNOWN_SESSION in body:
            return FoundError(seen, NODES_ADVICE)
        return FoundError(
            seen,
            HEADERS_ADVICE if error.response.status_code in {200, 400, 426} else advice_for(error.response.status_code),
        )
    advice = HEADERS_ADVICE if isinstance(error, InvalidHandshake) else "look for a proxy that cuts WebSockets"
    return FoundError(f"{type(error).__name__}: {error}", advice)
