"""Posts events, and asks for addresses of mail: HTTP/1.1 by h11 on asyncio's streams, with a few connections kept.

Rules W-05 to W-07 and M-13.


A library would bring its own pools, redirects, proxies, cookies and content codings, none of which a hook may have; of
what is left h11, which the daemon has anyway, does the part that is hard.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import h11

from chatd import __version__
from chatd.webhooks.address import Target, resolve

if TYPE_CHECKING:
    import ssl

MAX_ANSWER_BYTES: Final = 65_536
"""Of an answer. A connection with a longer one is closed, and the answer is what was read."""

NO_ANSWER: Final = (OSError, TimeoutError, h11.RemoteProtocolError)
"""What Poster.post and Poster.get raise."""

_READ_BYTES: Final = 16_384

Headers = list[tuple[str, str]]


class GoneError(ConnectionError):
    """A connection ended before its answer."""


class Answer(NamedTuple):
    """Of one request."""

    status: int
    body: bytes


class Connection:
    """One connection to the receiver."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.used = False

    async def ask(self, request: h11.Request, body: bytes) -> Answer:
        """Raises OSError and h11.RemoteProtocolError."""
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()
        answer = Answer(await self._status(), await self._body())
        self.used = True
        return answer

    @property
    def is_reusable(self) -> bool:
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def start_again(self) -> None:
        self._http.start_next_cycle()

    def close(self) -> None:
        self._writer.transport.abort()

    async def _status(self) -> int:
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event.status_code
            if isinstance(event, h11.ConnectionClosed):
                raise GoneError("the receiver closed the connection before its answer")

    async def _body(self) -> bytes:
        body = bytearray()
        while len(body) <= MAX_ANSWER_BYTES:
            event = await self._next()
            if not isinstance(event, h11.Data):
                break
            body += event.data
        return bytes(body)

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ_BYTES))
        return event


class Poster:
    """Sends to one URL. `private` lets it be a private address."""

    def __init__(self, target: Target, *, private: bool, timeout_s: float) -> None:
        self._target = target
        self._private = private
        self._timeout_s = timeout_s
        self._idle: list[Connection] = []
        self._tls: ssl.SSLContext | None = None
        if target.secure:
            import ssl  # noqa: PLC0415 - 4 MB, loaded only when used

            self._tls = ssl.create_default_context()

    async def post(self, headers: Headers, body: bytes) -> int:
        """The status of the answer. Raises OSError, TimeoutError and h11.RemoteProtocolError."""
        kind = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return (await self._ask("POST", self._target.path, [*kind, *headers], body)).status

    async def get(self, path: str, headers: Headers) -> Answer:
        """Of a path on that host. Raises as `post`."""
        return await self._ask("GET", path, headers, b"")

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, method: str, path: str, headers: Headers, body: bytes) -> Answer:
        said = [("Host", self._target.authority), ("User-Agent", f"chatd/{__version__}"), *headers]
        request = h11.Request(method=method, target=path, headers=said)
        async with asyncio.timeout(self._timeout_s):
            while self._idle:
                connection = self._idle.pop()
                try:
                    return await self._ask_on(connection, request, body)
                except (OSError, h11.RemoteProtocolError):
                    continue  # the receiver has closed what was idle: at least once is what it must take
            return await self._ask_on(await self._connect(), request, body)

    async def _ask_on(self, connection: Connection, request: h11.Request, body: bytes) -> Answer:
        try:
            answer = await connection.ask(request, body)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            connection.start_again()
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    async def _connect(self) -> Connection:
        address = await resolve(self._target, private=self._private)
        name = self._target.host if self._tls is not None else None
        streams = await asyncio.open_connection(address, self._target.port, ssl=self._tls, server_hostname=name)
        return Connection(*streams)
