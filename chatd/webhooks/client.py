"""Posts events: HTTP/1.1 by h11 on asyncio's streams, a few connections that are kept. Rules W-05 to W-07.

A library would bring its own pools, redirects, proxies, cookies and content codings, none of which a hook may have; of
what is left h11, which the daemon has anyway, does the part that is hard.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import h11

from chatd import __version__
from chatd.webhooks.address import Target, resolve

if TYPE_CHECKING:
    import ssl

MAX_ANSWER_BYTES: Final = 65_536
"""Of an answer, which is not read; a connection with a longer one is closed."""

NO_ANSWER: Final = (OSError, TimeoutError, h11.RemoteProtocolError)
"""What Poster.post raises."""

_READ_BYTES: Final = 16_384

Headers = list[tuple[str, str]]


class GoneError(ConnectionError):
    """A connection ended before its answer."""


class Connection:
    """One connection to the receiver."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.used = False

    async def post(self, target: Target, headers: Headers, body: bytes) -> int:
        """The status of the answer. Raises OSError and h11.RemoteProtocolError."""
        request = h11.Request(method="POST", target=target.path, headers=headers)
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()
        status = await self._status()
        await self._skip_body()
        self.used = True
        return status

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

    async def _skip_body(self) -> None:
        size = 0
        while size <= MAX_ANSWER_BYTES:
            event = await self._next()
            if isinstance(event, h11.Data):
                size += len(event.data)
            else:
                return

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
        said = [
            ("Host", self._target.authority),
            ("User-Agent", f"chatd/{__version__}"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *headers,
        ]
        async with asyncio.timeout(self._timeout_s):
            while self._idle:
                connection = self._idle.pop()
                try:
                    return await self._post_on(connection, said, body)
                except (OSError, h11.RemoteProtocolError):
                    continue  # the receiver has closed what was idle: at least once is what it must take
            return await self._post_on(await self._connect(), said, body)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _post_on(self, connection: Connection, headers: Headers, body: bytes) -> int:
        try:
            status = await connection.post(self._target, headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            connection.start_again()
            self._idle.append(connection)
        else:
            connection.close()
        return status

    async def _connect(self) -> Connection:
        address = await resolve(self._target, private=self._private)
        name = self._target.host if self._tls is not None else None
        streams = await asyncio.open_connection(address, self._target.port, ssl=self._tls, server_hostname=name)
        return Connection(*streams)
