"""Two ways to send the same messages: by Socket.IO with acknowledgements, and by the API. Closed loops.

Each message goes to an offline user, so that it costs no delivery. A message that is not stored ends the run.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from bench import tokens
from bench.fairness.line import EndedError
from bench.fairness.people import FILLING, Person
from bench.load import LoadError
from bench.webhook.servers import BOT, Stand

SOURCE: Final = "127.0.0.2"
CONVERSATIONS: Final = 100
BATCH: Final = 100  # the maximum of one request

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

Way = Callable[[Stand, float, int], Coroutine[Any, Any, float]]
"""Returns messages a second; the arguments are seconds, and messages in flight."""


def para_of(number: int) -> str:
    return f"c{number % CONVERSATIONS}"


def text_of(number: int) -> dict[str, str]:
    return {"para": para_of(number), "mensaje": f"{number} {FILLING}"}


class Window:
    """Unacknowledged messages of one client on Socket.IO, in the place of a Post."""

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._free = asyncio.Semaphore(in_flight)
        self._fault: str | None = None
        self.stored = 0

    async def room(self) -> None:
        """Wait until another message may be sent. Raises LoadError if one was refused."""
        await self._free.acquire()
        if self._fault is not None:
            raise LoadError(self._fault)

    async def empty(self) -> None:
        """Wait until all are acknowledged."""
        for _ in range(self._in_flight):
            await self.room()

    # Called by a Person.

    def acknowledge(self, _number: int, answer: str, _now: float) -> None:
        if '"ok":true' in answer:
            self.stored += 1
        else:
            self._fault = answer
        self._free.release()

    def hear(self, *_message: object) -> None:
        """Messages to all admins are ignored."""


async def by_socket(stand: Stand, seconds: float, in_flight: int) -> float:
    window, person = await writer(stand, in_flight)
    begin, number = time.monotonic(), 0
    while time.monotonic() < begin + seconds:
        await window.room()
        person.write(para_of(number), number)
        number += 1
    await window.empty()
    person.leave()
    return window.stored / (time.monotonic() - begin)


async def writer(stand: Stand, in_flight: int) -> tuple[Window, Person]:
    """The client that sends by Socket.IO."""
    window = Window(in_flight)
    person = await Person.enter(stand.server.port, SOURCE, BOT, tokens.mint(BOT, "admin"))
    person.post = window  # type: ignore[assignment]  # the two calls that a person makes of it
    return window, person


async def by_request(stand: Stand, seconds: float, in_flight: int) -> float:
    """One message for each request, on several connections."""
    return await _timed(stand, seconds, in_flight, 1)


async def by_batch(stand: Stand, seconds: float, in_flight: int) -> float:
    """The maximum of messages for each request."""
    return await _timed(stand, seconds, max(1, in_flight // BATCH), BATCH)


async def fill(stand: Stand, count: int) -> None:
    """Send at least `count` messages."""
    await _post(stand.key, await _connections(stand, 1), BATCH, lambda stored: stored < count)


async def _timed(stand: Stand, seconds: float, in_flight: int, batch: int) -> float:
    connections = await _connections(stand, in_flight)
    begin = time.monotonic()
    stored = await _post(stand.key, connections, batch, lambda _: time.monotonic() < begin + seconds)
    return stored / (time.monotonic() - begin)


async def _connections(stand: Stand, count: int) -> list[Streams]:
    return [await asyncio.open_connection("127.0.0.1", stand.api_port) for _ in range(count)]


async def _post(key: str, connections: list[Streams], batch: int, goes_on: Callable[[int], bool]) -> int:
    """Send until `goes_on` of the number of stored messages is false, one request at least; return that number."""
    stored = 0

    async def post(streams: Streams, number: int) -> None:
        nonlocal stored
        reader, sender = streams
        while True:
            sender.write(_request(key, number, batch))
            await _check(reader, batch)
            stored += batch
            number += batch
            if not goes_on(stored):
                return

    try:
        async with asyncio.TaskGroup() as group:
            for index, streams in enumerate(connections):
                group.create_task(post(streams, index * 1_000_000))
    except* (EndedError, EOFError) as errors:
        raise LoadError(repr(errors.exceptions[0])) from errors
    finally:
        for _, sender in connections:
            sender.transport.abort()
    return stored


def _request(key: str, number: int, batch: int) -> bytes:
    if batch == 1:
        path, body = "/v1/mensajes", msgspec.json.encode(text_of(number))
    else:
        many = [text_of(number + offset) for offset in range(batch)]
        path, body = "/v1/mensajes/lote", msgspec.json.encode({"mensajes": many})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _check(reader: asyncio.StreamReader, batch: int) -> None:
    """Read an answer; every message must be stored."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    body = b"" if found is None else await reader.readexactly(int(found[1]))
    stored = head.startswith(b"HTTP/1.1 201 ") if batch == 1 else body.count(b'"estado":201') == batch
    if not stored:
        raise EndedError(f"{head.splitlines()[0]!r} {body[:200]!r}")
