"""An HTTP/1.1 client that posts events and gets mail addresses, and reuses connections. Rules W-05 to W-07 and M-13.

No HTTP library: webhooks must not use its redirects, proxies, cookies and content codings.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import h11

from chatd import __version__
from chatd.webhooks.address import Target, resolve
from chatd.webhooks.answer import Answer
from chatd.webhooks.connection import Connection

if TYPE_CHECKING:
    import ssl

NO_ANSWER: Final = (OSError, TimeoutError, h11.RemoteProtocolError)
"""The exceptions of Poster.post and Poster.get."""

Headers = list[tuple[str, str]]


class Poster:
    """Sends requests to one URL. `private` allows private addresses."""

    def __init__(self, target: Target, *, private: bool, timeout_s: float) -> None:
        self._target = target
        self._private = private
        self._timeout_s = timeout_s
        self._idle: list[Connection] = []
        self._post_head = self._head("POST", target.path, [("Content-Type", "application/json")])[:-2]
        self._tls: ssl.SSLContext | None = None
        if target.secure:
            import ssl  # noqa: PLC0415 - 4 MB, loaded only when used

            self._tls = ssl.create_default_context()

    async def post(self, headers: Headers, body: bytes) -> int:
        """Post `body`; returns the status. `headers` are not validated. Raises the exceptions in NO_ANSWER."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        request = b"%bContent-Length: %d\r\n%b\r\n%b" % (self._post_head, len(body), lines.encode("ascii"), body)
        return (await self._ask(request)).status

    async def get(self, path: str, headers: Headers) -> Answer:
        """Get `path` from the host of the URL. Raises the exceptions in NO_ANSWER."""
        return await self._ask(self._head("GET", path, headers))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _head(self, method: str, path: str, headers: Headers) -> bytes:
        said = [("Host", self._target.authority), ("User-Agent", f"chatd/{__version__}"), *headers]
        return h11.Connection(h11.CLIENT).send(h11.Request(method=method, target=path, headers=said)) or b""

    async def _ask(self, request: bytes) -> Answer:
        async with asyncio.timeout(self._timeout_s):
            while self._idle:
                connection = self._idle.pop()
                try:
                    return await self._ask_on(connection, request)
                except (OSError, h11.RemoteProtocolError):
                    continue  # the receiver closed the idle connection; if it had the event, it gets it twice
            return await self._ask_on(await self._connect(), request)

    async def _ask_on(self, connection: Connection, request: bytes) -> Answer:
        try:
            answer = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            self._idle.append(connection)
        return answer

    async def _connect(self) -> Connection:
        address = await resolve(self._target, private=self._private)
        name = self._target.host if self._tls is not None else None
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            Connection, address, self._target.port, ssl=self._tls, server_hostname=name
        )
        return connection
