"""A webhook receiver: a real HTTP server that checks signatures with the Standard Webhooks library."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from standardwebhooks.webhooks import Webhook

SECRET: Final = "whsec_" + base64.b64encode(bytes(range(32))).decode()

PATIENCE_S: Final = 20.0

HANG, CLOSE, LATE, LOST = "hang", "close", "late", "lost"
"""Faults; the last one accepts the event and closes without an answer."""

Answer = int | str
"""A status code or a fault."""


class Receiver:
    """`answer` is called with the id of each event, and returns the status or fault."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Answer] = lambda _: 204
        self.tried: list[str] = []  # ids of all attempts, in order
        self.taken: list[dict[str, Any]] = []  # accepted events (2xx), in order
        self.headers: dict[str, str] = {}  # headers of the last request
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._place = socket.socket()  # reserves the port while the receiver is stopped
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()
        self._webhook = Webhook(SECRET)
        self.tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        return int(self._place.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}/hook?x=1"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)

    async def stop(self) -> None:
        """Stop as if killed: cut connections and stop listening."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    def close(self) -> None:
        self._place.close()

    async def more_tried(self, count: int) -> None:
        """Wait for `count` further attempts, without a timeout."""
        goal = len(self.tried) + count
        while len(self.tried) < goal:
            self._changed.clear()
            await self._changed.wait()

    async def more_taken(self, count: int) -> None:
        """Wait for so many further requests that get 2xx."""
        goal = len(self.taken) + count
        await self.until(lambda: len(self.taken) >= goal)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self._changed.clear()
                await self._changed.wait()

    async def left(self) -> None:
        """Wait until no connection is open."""
        await self.until(lambda: not self._open)

    def texts(self, con: str | None = None) -> list[str]:
        """Texts of accepted messages without duplicates, in the order of their first acceptance."""
        said = [each["data"] for each in self.taken if each["type"] == "mensaje"]
        return list(dict.fromkeys(each["mensaje"] for each in said if con in (None, each["de"], each["para"])))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            self._open.discard(writer)
            self._changed.set()
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self._webhook.verify(body, headers)  # raises for an invalid signature
        assert first == "POST /hook?x=1 HTTP/1.1"
        self.headers = headers
        event_id = headers["webhook-id"]
        answer = self.answer(event_id)
        self.tried.append(event_id)
        self._changed.set()
        if answer == HANG:
            await reader.read()
            return False
        if answer == CLOSE:
            return False
        if answer == LATE:
            await asyncio.sleep(0.05)
            answer = 200
        if answer == LOST or (isinstance(answer, int) and 200 <= answer < 300):
            self.taken.append(json.loads(body))
            self._changed.set()
        if answer == LOST:
            return False
        extra = "Location: http://127.0.0.1:1/\r\n" if answer == 302 else ""
        length = "" if answer == 204 else "Content-Length: 0\r\n"
        writer.write(f"HTTP/1.1 {answer} Because\r\n{extra}{length}\r\n".encode())
        await writer.drain()
        return True


@contextlib.asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.tls = tls
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()
        receiver.close()


def write_config(folder: Path, url: str, more: str = "private_addresses = true", name: str = "crm") -> Path:
    """A configuration file with one hook."""
    (folder / "whsec").write_text(SECRET + "\n")
    path = folder / "chatd.toml"
    path.write_text(f'[[webhook]]\nname = "{name}"\nurl = "{url}"\nsecret_file = "{folder / "whsec"}"\n{more}\n')
    return path
