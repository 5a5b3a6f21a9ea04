"""The page that stops mail, from HTTP bytes to the database.

An input is what one client sends, cut where it says `~CUT~`; `~LINK~` stands for the signed path of user `ana`, and
`~NEW~` begins another connection.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from chatd.base.timers import Timers
from chatd.daemon.config import load
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.turns import Turns
from chatd.notify.stop import StopPage, key_of, link_of
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.server import SocketIoServer
from chatd.store.sqlite import SqliteStore
from tests.fuzz.http_target import CUT, FOR_EVER_S, NEW
from tests.fuzz.lasting import LastingServer, attack_on
from tests.fuzz.memory import MemoryTransport

LINK_SHOWN: Final = b"~LINK~"

_SECRET: Final = "a-secret-of-the-chat"
_LINK: Final = link_of("", key_of(_SECRET), "ana").encode()

_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_STATUSES: Final = frozenset({b"100", b"200", b"400", b"404", b"405", b"408", b"413", b"417", b"431", b"501", b"503"})


class Server(LastingServer):
    """One server for all inputs of a process; an input may change whether `ana` wants mail, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._db = Path(self._folder.name) / "c.db"
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        store = SqliteStore(load({"db": str(self._db), "synchronous": "normal"}, {"CHATD_JWT_SECRET": _SECRET}).store)
        await store.open()
        self._page = StopPage(key_of(_SECRET), store, lambda exchange: exchange.respond(404))
        self._timers = Timers(self.loop.time, self.loop.call_at)
        outbox = Outbox(self.loop.call_soon)
        accept = SocketIoServer(SocketIoConfig(), self._timers, outbox).accept
        config = EngineConfig(max_header_bytes=1_024, max_unfinished_per_client_bytes=3_000, accept_rate=0)
        turns = Turns(self.loop.time, self.loop.call_soon)
        hooks = EngineHooks(accept=accept, other=self._page.on_request)
        self._engine = EngineServer(config, self._timers, outbox, turns, hooks)

    async def attack(self, data: bytes) -> None:
        connections = [await self._send(part) for part in data.replace(LINK_SHOWN, _LINK).split(NEW)]
        statuses = [status for each in connections for status in _STATUS.findall(each.sent)]
        assert set(statuses) <= _STATUSES, statuses
        for connection in connections:
            connection.lose()
        await self._idle()
        for _ in range(5):
            self.loop.skip(FOR_EVER_S)
            await self.turns()
        left = len(self._engine.connections), self._timers.armed(), self._engine.connections.unfinished.total_bytes
        assert left == (0, 0, 0), left
        with sqlite3.connect(self._db) as db:
            named = {name for (name,) in db.execute("SELECT quien FROM correos")}
            db.execute("DELETE FROM correos")
        db.close()
        assert named <= ({"ana"} if LINK_SHOWN in data or _LINK in data else set()), named

    async def _send(self, data: bytes) -> MemoryTransport:
        transport = MemoryTransport(self._engine.connection())
        pieces = data.split(CUT)
        for piece in pieces:
            transport.receive(piece)
            if piece is not pieces[-1]:
                await self._idle()
        return transport

    async def _idle(self) -> None:
        await self.turns()
        while len(self._page._tasks):  # noqa: ASYNC110 - a page has no event to wait for
            await asyncio.sleep(0.001)  # the database answers from a thread


attack_stop_page = attack_on(Server)
