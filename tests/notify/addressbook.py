"""A system of the operator that knows the e-mail address of each user: a real HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Final

SECRET: Final = "a-secret-of-the-shop"


class AddressBook:
    """`answers` has a status and a body for each path; a path that is not there gets 404."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/people/{{user}}/email?for=chat"

    def know(self, path: str, email: str) -> None:
        self.answers[path] = (200, json.dumps({"email": email}).encode())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1].removeprefix("/people/").removesuffix("/email?for=chat")
                self.asked.append(path)
                is_ours = head.startswith("GET /people/") and f"\r\nAuthorization: Bearer {SECRET}\r\n" in head
                status, body = self.answers.get(path, (404, b"")) if is_ours else (401, b"")
                writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        writer.close()


@contextlib.asynccontextmanager
async def knowing_addresses() -> AsyncIterator[AddressBook]:
    book = AddressBook()
    server = await asyncio.start_server(book.serve, "127.0.0.1", 0)
    book.port = server.sockets[0].getsockname()[1]
    try:
        yield book
    finally:
        server.close()
