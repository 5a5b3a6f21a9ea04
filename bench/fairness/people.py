"""Honest clients: users and admins who send messages to each other in pairs.

An open loop: a message is sent when it is due, whatever the state of earlier ones. Latencies count from the time when
it was passed to the kernel; its delay until then is a figure of its own, since it is a delay of this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

import msgspec

from bench.fairness.line import EndedError
from bench.fairness.post import Letter, Post
from bench.fairness.wire import HANDSHAKE, WEBSOCKET, compact, get, text

PAIRS: Final = 4
RATE: Final = 8.0  # messages a second of each client; a user may send ten
JOIN_TIMEOUT_S: Final = 20.0  # socket.io-client gives up then
FILLING: Final = "x" * 56

_ANSWER: Final = re.compile(r"43(\d+)\[(.*)\]", re.DOTALL)


class Person(asyncio.Protocol):
    """One socket in the main namespace. `joined` is done after the join, or when it has failed."""

    def __init__(self, name: str, token: str) -> None:
        self.name = name
        self.post = Post()
        self.joined = asyncio.get_running_loop().create_future()
        self._token = token
        self._bytes = bytearray()
        self._is_websocket = False

    @classmethod
    async def enter(cls, port: int, source: str, name: str, token: str) -> Self:
        """Open a WebSocket from the address `source`, and join. Raises EndedError, OSError or TimeoutError."""
        person = cls(name, token)
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: person, "127.0.0.1", port, local_addr=(source, 0)
                )
                await person.joined
            except BaseException:
                person.leave()
                raise
        return person

    def write(self, para: str, number: int) -> None:
        body = compact(["mensaje_privado", {"para": para, "mensaje": f"{number} {FILLING}"}])
        self._transport.write(text(f"42{number}{body}"))

    def leave(self) -> None:
        with contextlib.suppress(AttributeError):  # it was never connected
            self._transport.abort()

    # asyncio.Protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(get(WEBSOCKET, self._token, HANDSHAKE))

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        if not self._is_websocket:
            self._read_head()
        while self._is_websocket and (message := self._read_message()) is not None:
            self._on_message(message)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.joined.done():
            self.joined.set_exception(EndedError(f"{self.name} did not get in"))

    def _read_head(self) -> None:
        head, found, rest = self._bytes.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"HTTP/1.1 101 "):
            self._is_websocket = True
            self._bytes = rest
        else:
            self.leave()

    def _read_message(self) -> str | None:
        """The next whole message. Anything else, such as a close frame, ends the connection."""
        data = self._bytes
        if len(data) < 2 or len(data) < (start := _HEAD_BYTES.get(data[1], 2)):
            return None
        size = data[1] if start == 2 else int.from_bytes(data[2:start])
        if len(data) < start + size:
            return None
        first, payload = data[0], bytes(data[start : start + size])
        del data[: start + size]
        if first != 0x81:
            self.leave()
            return None
        return payload.decode()

    def _on_message(self, message: str) -> None:
        if message.startswith("42"):
            self._on_event(message[2:])
        elif found := _ANSWER.fullmatch(message):
            self.post.acknowledge(int(found[1]), found[2], time.monotonic())
        elif message.startswith("40") and not self.joined.done():
            self.joined.set_result(None)
        elif message.startswith("44"):
            self.leave()
        elif message == "2":
            self._transport.write(text("3"))
        elif message.startswith("0"):
            self._transport.write(text("40"))

    def _on_event(self, event: str) -> None:
        name, argument, *_ = msgspec.json.decode(event)
        if name == "mensaje_recibido":
            number = argument["mensaje"].partition(" ")[0]
            if number.isdecimal():  # admins receive messages of attackers too
                self.post.hear(self.name, argument["de"], int(number), time.monotonic())


_HEAD_BYTES: Final = {126: 4, 127: 10}

Couples = Sequence[tuple[Person, Person]]
Mint = Callable[[str, str], str]

_NUMBERS: Final = itertools.count()


async def couples(port: int, source: str, mint: Mint) -> Couples:
    """Users and admins that have joined, in pairs."""

    async def enter(name: str, rol: str) -> Person:
        return await Person.enter(port, source, name, mint(name, rol))

    return [(await enter(f"ana{i}", "user"), await enter(f"root{i}", "admin")) for i in range(PAIRS)]


async def talk(pairs: Couples, seconds: float) -> Post:
    """Send messages in all pairs, in turn and at even intervals; return when the last message was sent."""
    post, turns = Post(), [turn for one, other in pairs for turn in ((one, other), (other, one))]
    for person, _ in turns:
        person.post = post
    start, every_s = time.monotonic(), 1 / (RATE * len(turns))
    for i in range(max(1, int(seconds / every_s))):
        due = start + i * every_s
        await asyncio.sleep(due - time.monotonic())
        writer, reader = turns[i % len(turns)]
        number = next(_NUMBERS)
        post.send(number, Letter(reader.name, due, time.monotonic()))
        writer.write(reader.name, number)
    return post
