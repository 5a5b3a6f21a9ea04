"""A client that can misbehave: HTTP requests, polls and WebSocket frames over real sockets, byte by byte if needed.

Start with `Client`; it records every connection that it opens and closes them at the end:

    async with Client("127.0.0.1", port, "/engine.io/") as client:
        answer = await client.request("GET", {"EIO": "4", "transport": "polling"})
        session = await client.polling()           # handshake done; session.sid, session.opened
        await session.post("4hello")
        packets = await session.poll()
        websocket = await client.websocket()       # handshake done; websocket.opened
        await websocket.send("4hello")
        assert await websocket.receive() == "4hello"
        assert await websocket.closed() == NO_CODE

This module asserts nothing about the server, apart from the handshakes of `polling`, `websocket` and `upgrade`, and
that each status line has a reason phrase (E-47).
Every wait ends after TIMEOUT_S with a TimeoutError.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

TIMEOUT_S: Final = 20.0  # for a busy machine
SEPARATOR: Final = "\x1e"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

# Values of `closed` besides the code of a close frame (RFC 6455, section 7.1.5).
NO_CODE: Final = 1005
NO_FRAME: Final = 1006

Headers = Mapping[str, str]
NO_HEADERS: Final[Headers] = {}
NO_QUERY: Final[Mapping[str, str]] = {}

# RFC 9112 makes the reason phrase optional, but a widespread PHP client cannot parse a line without.
_STATUS_LINE: Final = re.compile(r"(HTTP/1\.[01]) ([0-9]{3}) ([A-Z][A-Za-z -]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case and in their original order."""

    version: str
    status: int
    phrase: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The values of a header joined by `, `; None if it is absent."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def packets(self) -> list[str]:
        """The body as the packets of a poll."""
        return self.text.split(SEPARATOR)

    def json(self) -> Any:
        return json.loads(self.body)


class RefusedUpgradeError(Exception):
    """A WebSocket handshake was answered with another status than 101."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body!r}")
        self.answer = answer


class ClosedError(Exception):
    """A message was expected and the WebSocket is closed; `code` as in `WebSocket.closed`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


def request_bytes(method: str, target: str, headers: Headers = NO_HEADERS, body: bytes | None = None) -> bytes:
    """An HTTP/1.1 request; `Host` and, with a body, `Content-Length` are added where `headers` lack them."""
    lines = {"Host": "localhost", **headers}
    chunked = any(name.lower() in ("transfer-encoding", "content-length") for name in headers)
    if body is not None and not chunked:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


def chunk(data: bytes) -> bytes:
    """One chunk of a body with `Transfer-Encoding: chunked`; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection:
    """One TCP connection that speaks HTTP, kept alive between requests."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Send raw bytes; they are with the kernel on return unless its buffer is full."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the server has read most of what was written."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._writer.drain()

    async def request(
        self, method: str, target: str, *, headers: Headers = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        """Send a request and wait for its answer."""
        self.write(request_bytes(method, target, headers, body))
        return await self.answer(head=method == "HEAD")

    async def answer(self, *, head: bool = False) -> Answer:
        """The next answer; `head` says that it answers a HEAD request and so has no body."""
        async with asyncio.timeout(TIMEOUT_S):
            version, status, phrase, headers = _parse_head(await self._reader.readuntil(b"\r\n\r\n"))
            bodiless = head or status in (204, 304) or 100 <= status < 200
            body = b"" if bodiless else await self._body(dict(headers))
        return Answer(version, status, phrase, headers, body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return await self._chunks()
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        return await self._reader.read()

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return body

    async def read_exactly(self, size: int) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self._reader.readexactly(size)

    async def rest(self) -> bytes:
        """All data until the server closes; a reset counts as the end."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                return await self._reader.read()
            return b""

    @property
    def at_end(self) -> bool:
        """Whether the server has closed and everything it sent has been read."""
        return self._reader.at_eof()

    def stop_reading(self) -> None:
        """Stop reading, so that received data stays in the kernel until its buffer is full."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def go_on_reading(self) -> None:
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]

    @property
    def received_bytes(self) -> int:
        """The number of bytes that were received and not read yet."""
        return len(self._reader._buffer)  # type: ignore[attr-defined]

    @property
    def unsent_bytes(self) -> int:
        """The number of written bytes that the kernel has not accepted yet."""
        return self._writer.transport.get_write_buffer_size()

    def end_writing(self) -> None:
        """Send a FIN and keep reading."""
        self._writer.write_eof()

    def close(self) -> None:
        """Close normally, with a FIN."""
        self._writer.close()

    def abort(self) -> None:
        """Close at once, and drop unsent data."""
        self._writer.transport.abort()

    async def lost(self) -> None:
        """Wait until the server has closed the connection, without reading; there must be unsent data."""
        async with asyncio.timeout(TIMEOUT_S):
            with contextlib.suppress(ConnectionError):
                while True:
                    await self._writer.drain()
                    await asyncio.sleep(0)  # lets the timeout run: `drain` itself does not yield

    async def ended(self) -> None:
        """Wait until the connection is closed on this side."""
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def _parse_head(head: bytes) -> tuple[str, int, str, list[tuple[str, str]]]:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    assert status_line is not None, first
    version, status, phrase = status_line.groups()
    pairs = [line.partition(":") for line in lines]
    return version, int(status), phrase, [(name.lower(), value.strip()) for name, _, value in pairs]


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """A WebSocket frame from the server."""

    opcode: int
    payload: bytes
    fin: bool = True


def frame_bytes(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """A WebSocket frame as a client sends it, or, without `masked`, as it must not. `rsv` has three bits."""
    head = bytes([(0x80 if fin else 0) | (rsv << 4) | opcode])
    mask_bit, size = (0x80 if masked else 0), len(payload)
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", mask_bit | 126, size)
    else:
        head += struct.pack("!BQ", mask_bit | 127, size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    stream = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return head + key + (int.from_bytes(payload, "big") ^ stream).to_bytes(size, "big")


def text_frame(text: str) -> bytes:
    """A whole text message as a client sends it."""
    return frame_bytes(TEXT, text.encode())


class WebSocket:
    """A WebSocket connection after its 101. `opened` is the data of its open packet, where one was read."""

    def __init__(self, connection: Connection, answer: Answer) -> None:
        self.connection = connection
        self.answer = answer
        self.opened: dict[str, Any] = {}

    @property
    def sid(self) -> str:
        return str(self.opened["sid"])

    async def send(self, message: str | bytes) -> None:
        """Send a message, text or binary, in one frame."""
        if isinstance(message, str):
            await self.send_raw(frame_bytes(TEXT, message.encode()))
        else:
            await self.send_raw(frame_bytes(BINARY, message))

    async def send_frame(
        self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, masked: bool = True
    ) -> None:
        await self.send_raw(frame_bytes(opcode, payload, fin=fin, rsv=rsv, masked=masked))

    async def send_raw(self, data: bytes) -> None:
        self.connection.write(data)
        await self.connection.drain()

    async def receive_frame(self) -> Frame:
        """The next frame of any kind; raises ClosedError at the end of the stream."""
        try:
            first, second = await self.connection.read_exactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.connection.read_exactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.connection.read_exactly(8))
            payload = await self.connection.read_exactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ClosedError(NO_FRAME) from error
        assert first & 0x70 == 0, "a reserved bit is set"
        assert second & 0x80 == 0, "a server must not mask"
        return Frame(first & 0x0F, payload, bool(first & 0x80))

    async def receive(self) -> str | bytes:
        """The next message; raises ClosedError when there is none."""
        frame = await self.receive_frame()
        if frame.opcode == CLOSE:
            raise ClosedError(struct.unpack("!H", frame.payload[:2])[0] if frame.payload else NO_CODE)
        assert frame.fin
        assert frame.opcode in (TEXT, BINARY), frame
        return frame.payload.decode() if frame.opcode == TEXT else frame.payload

    async def closed(self) -> int:
        """Wait for the close: its code, NO_CODE, or NO_FRAME. Fails if a message comes instead."""
        try:
            message = await self.receive()
        except ClosedError as end:
            return end.code
        raise AssertionError(f"the server sent {message!r} instead of closing")

    async def messages_until_closed(self) -> list[str | bytes]:
        """All messages before the close."""
        messages = []
        with contextlib.suppress(ClosedError):
            while True:
                messages.append(await self.receive())
        return messages

    def close(self) -> None:
        self.connection.close()

    def abort(self) -> None:
        self.connection.abort()


class Pending:
    """A request that the server has read and not answered yet."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def answer(self) -> Answer:
        return await self.connection.answer()

    async def packets(self) -> list[str]:
        """The packets in the answer, which must be a 200."""
        answer = await self.answer()
        assert answer.status == 200, answer
        return answer.packets


class PollingSession:
    """A session on HTTP long-polling. Each request uses a connection of its own, as Node's client does."""

    def __init__(self, client: Client, opened: dict[str, Any]) -> None:
        self.client = client
        self.opened = opened
        self.sid: str = opened["sid"]

    def target(self, **query: str) -> str:
        """The request target of this session; `query` replaces or adds fields."""
        return self.client.target(**{"EIO": "4", "transport": "polling", "sid": self.sid, **query})

    async def get(self, **query: str) -> Answer:
        """Send a GET and wait for its answer."""
        connection = await self.client.connect()
        return await connection.request("GET", self.target(**query))

    async def begin_get(self, **query: str) -> Pending:
        """Send a GET and return once the server has read it."""
        connection = await self.client.connect()
        connection.write(request_bytes("GET", self.target(**query)))
        await self.client.settled()
        return Pending(connection)

    async def poll(self) -> list[str]:
        """The packets of the next poll, which must be answered with 200."""
        answer = await self.get()
        assert answer.status == 200, answer
        return answer.packets

    async def post(self, body: str | bytes, headers: Headers = NO_HEADERS) -> Answer:
        """Send `body` as text/plain and wait for the answer."""
        connection = await self.client.connect()
        body = body.encode() if isinstance(body, str) else body
        plain = {"Content-Type": "text/plain;charset=UTF-8", **headers}
        return await connection.request("POST", self.target(), headers=plain, body=body)

    async def upgrade(self, headers: Headers = NO_HEADERS, *, early: bytes = b"", **query: str) -> WebSocket:
        """Open a WebSocket with this session's sid; sends no probe. `early` goes out with the handshake."""
        return await self.client.raw_websocket(headers, early=early, **{"sid": self.sid, **query})

    async def is_alive(self) -> bool:
        """Whether the server still has the session, by a request that changes nothing."""
        answer = await self.get(EIO="none")
        return bool(answer.json()["code"] != 1)


class Client:
    """All connections to one server, at `path`."""

    def __init__(self, host: str, port: int, path: str, tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = port
        self.path = path
        self._tls = tls
        self._connections: list[Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Abort every connection that is still open."""
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.ended()

    def target(self, **query: str) -> str:
        """`path` with a query, percent-encoded."""
        return f"{self.path}?{urlencode(query)}"

    async def connect(self, receive_buffer_bytes: int | None = None) -> Connection:
        """A new TCP connection; with a small receive buffer, the server notices soon that the client does not read."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        connected = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio lets small writes wait
        connected.setblocking(False)
        if receive_buffer_bytes is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.get_running_loop().sock_connect(connected, (self.host, self.port))
                name = self.host if self._tls else None
                reader, writer = await asyncio.open_connection(sock=connected, ssl=self._tls, server_hostname=name)
        except BaseException:
            connected.close()
            raise
        connection = Connection(reader, writer)
        self._connections.append(connection)
        return connection

    async def request(
        self, method: str, query: Mapping[str, str] = NO_QUERY, headers: Headers = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        """One request to `path` on a connection of its own."""
        connection = await self.connect()
        return await connection.request(method, self.target(**query), headers=headers, body=body)

    async def settled(self) -> None:
        """Return once the server has read everything that was written before this call.

        A request on a new connection is read after all data that is already in the kernel's buffers; this one names no
        transport and so is answered at once by any application.
        """
        await self.request("GET")

    async def polling(self, headers: Headers = NO_HEADERS, **query: str) -> PollingSession:
        """A new session on long-polling, its open packet read."""
        connection = await self.connect()
        target = self.target(**{"EIO": "4", "transport": "polling", **query})
        answer = await connection.request("GET", target, headers=headers)
        assert answer.status == 200, answer
        assert answer.text.startswith("0"), answer
        return PollingSession(self, json.loads(answer.text[1:]))

    async def raw_websocket(self, headers: Headers = NO_HEADERS, *, early: bytes = b"", **query: str) -> WebSocket:
        """A WebSocket without any read so far. Raises RefusedUpgradeError.

        `early` goes out in the same write as the handshake; an empty value in `query` leaves the field out.
        """
        fields = {"EIO": "4", "transport": "websocket", **query}
        target = self.target(**{name: value for name, value in fields.items() if value})
        connection = await self.connect()
        connection.write(request_bytes("GET", target, {**handshake_headers(), **headers}) + early)
        answer = await connection.answer()
        if answer.status != 101:
            raise RefusedUpgradeError(answer)
        return WebSocket(connection, answer)

    async def websocket(self, headers: Headers = NO_HEADERS, *, early: bytes = b"", **query: str) -> WebSocket:
        """A new session on WebSocket, its open packet read."""
        websocket = await self.raw_websocket(headers, early=early, **query)
        first = await websocket.receive()
        assert isinstance(first, str)
        assert first.startswith("0"), first
        websocket.opened = json.loads(first[1:])
        return websocket


def handshake_headers() -> dict[str, str]:
    """The headers of a valid WebSocket handshake, with a new key."""
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }


def joined(packets: Iterable[str]) -> str:
    """Several packets as the body of one POST."""
    return SEPARATOR.join(packets)
