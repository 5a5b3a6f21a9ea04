"""Posts events, and asks for addresses of mail: HTTP/1.1, with a few connections kept. Rules W-05 to W-07 and M-13.

A library would bring its own pools, redirects, proxies, cookies and content codings, none of which a hook may have.
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
"""What Poster.post and Poster.get raise."""

Headers = list[tuple[str, str]]


class Poster:
    """Sends to one URL. `private` lets it be a private address."""

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
        """The status of the answer. `headers` are not checked. Raises what is in NO_ANSWER."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        request = b"%bContent-Length: %d\r\n%b\r\n%b" % (self._post_head, len(body), lines.encode("ascii"), body)
        return (await self._ask(request)).status

    async def get(self, path: str, headers: Headers) -> Answer:
        """Of a path on that host. Raises as `post`."""
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
                    continue  # the receiver has closed what was idle: at least once is what it must take
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
