"""A daemon with the API, and an API client with a key."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from chatd.api.keys import Key, Scope, digest_of, new_key
from tests.chat.daemon import Daemon, daemon
from tests.conformance.wire import Answer, Client, Connection

EVERY: Final = frozenset(Scope)


def add_key(path: Path, name: str, *scopes: Scope) -> str:
    """Add a new key to the file, as `chatd apikey new` does."""
    key = new_key()
    with path.open("a") as file:
        file.write(Key(name, frozenset(scopes) or EVERY, digest_of(key)).line() + "\n")
    return key


class System:
    """Another system of the operator: one connection, one key."""

    def __init__(self, connection: Connection, key: str | None) -> None:
        self.connection = connection
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, target: str, body: object = None, **headers: str) -> Answer:
        """Send a request. A `body` other than bytes is sent as JSON. `_` in header names stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if content is None else {"Content-Type": "application/json"}
        return await self.connection.request(method, target, headers={**kind, **self._headers, **named}, body=content)

    async def get(self, target: str) -> Any:
        answer = await self.ask("GET", target)
        assert answer.status == 200, answer
        return answer.json()

    async def send(self, para: str, mensaje: str, **more: object) -> Any:
        """Send a message and return its acknowledgement."""
        answer = await self.ask("POST", "/v1/mensajes", {"para": para, "mensaje": mensaje, **more})
        assert answer.status == 201, answer
        return answer.json()


class Api:
    """The API of a daemon."""

    def __init__(self, chatd: Daemon, keys: Path, key: str) -> None:
        self.chatd = chatd
        self.keys = keys
        self.key = key  # of the system `bot`, with every scope
        [where] = [line for line in chatd.log if line["message"] == "listening for other systems"]
        self.host, self.port = where["host"], where["port"]
        self.url = f"http://{self.host}:{self.port}"
        self.client: Client

    async def system(self, key: str | None = None) -> System:
        return System(await self.client.connect(), key or self.key)

    async def stranger(self) -> System:
        """A client without a key."""
        return System(await self.client.connect(), None)


@contextlib.asynccontextmanager
async def serving_api(folder: Path, *flags: str | Path, db: object = None) -> AsyncIterator[Api]:
    """A daemon with the API on a free port; its files are in `folder`."""
    keys = folder / "keys"
    key = add_key(keys, "bot")
    named = ("--api", "127.0.0.1:0", "--api-keys-file", keys)
    async with daemon(db or folder / "chatd.db", *named, *flags) as chatd:
        api = Api(chatd, keys, key)
        async with Client(api.host, api.port, "/") as api.client:
            yield api
