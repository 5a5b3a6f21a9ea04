"""One TCP connection of an attacker: it waits for marks in the received data, or ignores all of it."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Final, Self

# The send buffer of the kernel. By default it takes megabytes for each socket.
SEND_BUFFER_BYTES: Final = 65_536

PATIENCE_S: Final = 20.0

_SID: Final = re.compile(rb'"sid":"([^"]+)"')


class EndedError(Exception):
    """The server has ended the connection, or sent another answer than expected."""


def ends_in_close(data: bytes | bytearray) -> bool:
    """Whether `data` ends in a close frame, with or without a code."""
    return data[-2:] == b"\x88\x00" or data[-4:-2] == b"\x88\x02"


class Line(asyncio.Protocol):
    """It ends with its connection, or with a close frame: the attacker then opens a new one."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._ignores = False
        self._full = False
        self._ended = False
        self._changed = asyncio.Event()
        self._gone = asyncio.Event()

    @classmethod
    async def open(cls, port: int, source: str) -> Self:
        """Connect from the address `source`, by which a server distinguishes clients."""
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        try:
            raw.bind((source, 0))
            async with asyncio.timeout(PATIENCE_S):
                await loop.sock_connect(raw, ("127.0.0.1", port))
            _, line = await loop.create_connection(cls, sock=raw)
        except BaseException:
            raw.close()
            raise
        return line

    async def send(self, data: bytes) -> None:
        """Send, and return when the next piece may be sent: a server that does not read blocks its client."""
        if self._ended:
            raise EndedError
        self._transport.write(data)
        await asyncio.sleep(0)  # yields if the kernel takes everything
        while self._full:
            await self._change()

    async def until(self, mark: bytes) -> bytes:
        """The data received up to and including `mark`."""
        async with asyncio.timeout(PATIENCE_S):
            while (at := self._heard.find(mark)) < 0:
                await self._change()
        cut = at + len(mark)
        found = bytes(self._heard[:cut])
        del self._heard[:cut]
        return found

    async def head(self, status: int) -> None:
        """Wait for the head of an answer, which must have this status."""
        head = await self.until(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 %d " % status):
            raise EndedError(head)

    async def sid(self) -> str:
        """Wait for the answer to a polling handshake; return its session id."""
        await self.head(200)
        found = _SID.search(await self.until(b"}"))
        if found is None:
            raise EndedError
        return found[1].decode()

    def ignore(self) -> None:
        """Ignore all further data."""
        self._ignores = True
        self._heard.clear()

    async def cut(self) -> None:
        """Abort the connection, and drop unsent data."""
        self._transport.abort()
        await self._gone.wait()

    async def _change(self) -> None:
        """Wait for bytes or for room to write. Raises EndedError."""
        if not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if self._ended:
            raise EndedError

    # asyncio.Protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._ignores:
            self._heard += data
            self._changed.set()
        if ends_in_close(data):
            self._end()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()
        self._gone.set()

    def _end(self) -> None:
        self._ended = True
        self._changed.set()
