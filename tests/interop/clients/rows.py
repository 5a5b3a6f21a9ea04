"""All clients that run against chatd, one row each. To add a client, add a row and run `make interop`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from tests.interop.clients.seats import BUNDLE, Start, browser, bun, deno, javascript, node, python


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """Options that choose transports. The class `WebSocket` passes no headers to that of the runtime, so no cookie."""

    options: Mapping[str, Any]
    cookie: bool = True


# The client's own default is polling first, then the upgrade.
USUAL: Final = {
    "polling": Way({"transports": ["polling"]}),
    "WebSocket": Way({"transports": ["websocket"]}),
    "upgrade": Way({}),
}
# fetch() and WebSocket of the runtime, given as classes: a bundler drops the other transports.
NATIVE: Final = {
    "polling": Way({"transports": ["Fetch"]}),
    "WebSocket": Way({"transports": ["WebSocket"]}, cookie=False),
    "upgrade": Way({"transports": ["Fetch", "WebSocket"]}),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """`options`: it has addTrailingSlash, tryAllTransports, rememberUpgrade. `core`: `make setup` installs it."""

    name: str
    client: str
    start: Start
    ways: Mapping[str, Way] = dataclasses.field(default_factory=lambda: USUAL)
    recovers: bool = True
    options: bool = True
    core: bool = False


JS: Final = "socket.io-client"
CLASSES: Final = "socket.io-client with Fetch and WebSocket"
PYTHON: Final = "python-socketio"

ROWS: Final = (
    Row("js-3.1", JS, javascript("3.1", node()), recovers=False, options=False, core=True),
    Row("js-4.0", JS, javascript("4.0", node()), recovers=False, options=False, core=True),
    Row("js-4.8", JS, javascript("4.8", node()), core=True),
    Row("js-4.8-node-22", JS, javascript("4.8", node(22))),
    Row("js-4.8-node-24", JS, javascript("4.8", node(24))),
    Row("js-4.8-node-26", JS, javascript("4.8", node(26))),
    Row("js-4.8-bun", JS, javascript("4.8", bun), core=True),
    Row("js-4.8-deno", JS, javascript("4.8", deno)),
    Row("native-node-22", CLASSES, javascript("4.8", node(22)), NATIVE),
    Row("native-node-24", CLASSES, javascript("4.8", node(24)), NATIVE),
    Row("native-node-26", CLASSES, javascript("4.8", node(26)), NATIVE),
    Row("native-bun", CLASSES, javascript("4.8", bun), NATIVE),
    Row("native-deno", CLASSES, javascript("4.8", deno), NATIVE),
    Row("bundle-deno", f"{BUNDLE} of socket.io-client", javascript("4.8", deno, BUNDLE), NATIVE),
    Row("firefox", "dist/socket.io.min.js of socket.io-client", browser("firefox")),
    Row("webkit", "dist/socket.io.min.js of socket.io-client", browser("webkit")),
    Row("python-5.8", PYTHON, python("python-socketio-5.8"), recovers=False, options=False),
    Row("python-5.11", PYTHON, python("python-socketio-5.11"), recovers=False, options=False),
    Row("python", PYTHON, python(), recovers=False, options=False, core=True),
)

# Rows of the table: ROWS, and the clients of test_engine.py and test_strangers.py.
NAMES: Final = (
    *(row.name for row in ROWS),
    "engine.io-client-6.6.6",
    "engine.io-client",
    "socket.io-client-2",
    "socket.io-msgpack-parser",
)
