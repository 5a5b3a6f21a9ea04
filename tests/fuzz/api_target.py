"""The API from HTTP bytes to answer, in memory except for the database.

An input is what one client sends, cut where it says `~CUT~`; `~KEY~` stands for a key with every scope, and `~NEW~`
begins another connection.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Final

from chatd.daemon.config import load
from chatd.engineio.http import HttpConnection
from chatd.store.sqlite import SqliteStore
from tests.api.inside import KEY, build_with_api, write_keys
from tests.chat.people import SECRET
from tests.fuzz.http_target import CUT, FOR_EVER_S, NEW
from tests.fuzz.lasting import LastingServer, attack_on
from tests.fuzz.memory import MemoryTransport

KEY_SHOWN: Final = b"~KEY~"

SETTINGS: Final = {
    "api": "127.0.0.1:0",
    "api_rate": "0",
    "api_address_rate": "0",
    "api_max_body": "2000",
    "api_max_streams": "2",
    "message_rate": "0",
    "max_chars_per_minute": "0",
    "max_message": "500",
    "max_header": "1024",
    "admin_messages": "team",
    "payload": "full",
    "presence": "on",
    "synchronous": "normal",
}

_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Server(LastingServer):
    """One server for all inputs of a process; an input may change the database and no other state."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.loop.run_until_complete(self._open(Path(self._folder.name)))

    async def _open(self, folder: Path) -> None:
        settings = {"db": str(folder / "c.db"), "api_keys_file": str(write_keys(folder / "keys")), **SETTINGS}
        config = load(settings, {"CHATD_JWT_SECRET": SECRET})
        store = SqliteStore(config.store)
        _, self._api = build_with_api(config, store, await store.open())
        self._api.start()
        self._streams = self._api._server._parts.streams

    async def attack(self, data: bytes) -> None:
        connections = [await self._send(part) for part in data.replace(KEY_SHOWN, KEY.encode()).split(NEW)]
        statuses = [status for each in connections for status in _STATUS.findall(each.sent)]
        assert b"500" not in statuses, [bytes(each.sent) for each in connections]
        for connection in connections:
            connection.lose()
        for _ in range(5):
            self.loop.skip(FOR_EVER_S)
            await self.turns()
        left = len(self._api.http.connections), self._api.http.timers.armed(), len(self._streams)
        assert left == (0, 0, 0), left

    async def _send(self, data: bytes) -> MemoryTransport:
        transport = MemoryTransport(self._api.http._connection())
        for piece in data.split(CUT):
            transport.receive(piece)
            await self.turns()
            while _waits(transport):  # noqa: ASYNC110 - an exchange has no event to wait for
                await asyncio.sleep(0.001)  # the database answers from a thread
        return transport


def _waits(transport: MemoryTransport) -> bool:
    """Whether a request of this connection waits for the database."""
    connection = transport.get_protocol()
    exchange = connection._exchange if isinstance(connection, HttpConnection) else None
    return exchange is not None and exchange.on_lost is not None


attack_api = attack_on(Server)
