"""Attackers of a hostile afternoon, in a process of their own.

`python -m tests.attack.hostile HOST PORT SECONDS [ATTACK ...]`, with all attacks by default. Every attack is repeated
until its time is over, then closes what it holds. Prints how often each attack was made, as JSON. No answer of the
server fails an attack.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from tests.chat.people import cookie, token
from tests.conformance.wire import (
    BINARY,
    PING,
    PONG,
    SEPARATOR,
    TEXT,
    Client,
    ClosedError,
    Connection,
    RefusedUpgradeError,
    WebSocket,
    chunk,
    frame_bytes,
    handshake_headers,
    request_bytes,
    text_frame,
)

PATH: Final = "/socket.io/"
STRANGERS: Final = 500  # clients that open a session by polling and never CONNECT; and as many by WebSocket
SLOW_READERS: Final = 10
AT_ONCE: Final = 40

HANDSHAKE: Final = {"EIO": "4", "transport": "polling"}
EXPECTED: Final = (OSError, EOFError, AssertionError, ClosedError, RefusedUpgradeError, ValueError, TimeoutError)
"""How an attack may end: closed by the server, refused, or answered in an unexpected way."""


class Field:
    """The target of the attackers: one server, and the time at which the attacks end."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.made: Counter[str] = Counter()
        self._host = host
        self._port = port
        self._names = itertools.count()

    def client(self) -> Client:
        """A client whose connections are closed together."""
        return Client(self._host, self._port, PATH)

    @property
    def open(self) -> bool:
        return time.monotonic() < self.end

    def name(self) -> str:
        return f"mallory-{os.getpid()}-{next(self._names)}"


Attack = Callable[[Field, Client], Awaitable[None]]


async def until_closed(connection: Connection, field: Field) -> None:
    """Hold the connection until the server closes it or the attacks end."""
    with contextlib.suppress(*EXPECTED):
        async with asyncio.timeout(max(0.0, field.end - time.monotonic())):
            await connection.rest()


def _slowly(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


async def slow_headers(field: Field, client: Client) -> None:
    """A byte at a time, never finished."""
    connections = [await client.connect() for _ in range(AT_ONCE)]
    for byte in _slowly(request_bytes("GET", client.target(**HANDSHAKE), {"X": "y" * 200})[:-4]):
        if not field.open or all(connection.at_end for connection in connections):
            return
        for connection in connections:
            connection.write(byte)
        await asyncio.sleep(0.02)  # the pace of a slow client


async def half_open(field: Field, client: Client) -> None:
    """Connections that send nothing, half a request, or half a body."""
    halves = [b"", b"GET /socket.io/?EIO=4", b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4"]
    connections = [await client.connect() for _ in range(AT_ONCE)]
    for number, connection in enumerate(connections):
        connection.write(halves[number % 3])
        if number % 2:
            connection.end_writing()
    await asyncio.gather(*(until_closed(connection, field) for connection in connections))


async def strangers_who_poll(field: Field, client: Client) -> None:
    """Hundreds of sessions that never CONNECT and never poll again."""
    for _ in range(STRANGERS):
        await client.request("GET", HANDSHAKE, {"Connection": "close"})
    await until_closed((await client.websocket()).connection, field)


async def strangers_on_websockets(field: Field, client: Client) -> None:
    """Hundreds of sessions that never CONNECT."""
    sockets = [await client.websocket() for _ in range(STRANGERS)]
    await asyncio.gather(*(until_closed(socket.connection, field) for socket in sockets))


async def joined(client: Client, user: str, rol: str = "user", receive_buffer_bytes: int | None = None) -> WebSocket:
    connection = await client.connect(receive_buffer_bytes)
    target = client.target(EIO="4", transport="websocket")
    headers = {**handshake_headers(), **cookie(token(user, rol))}
    connection.write(request_bytes("GET", target, headers) + text_frame("40"))
    answer = await connection.answer()
    if answer.status != 101:
        raise RefusedUpgradeError(answer)
    return WebSocket(connection, answer)


async def slow_readers(field: Field, client: Client) -> None:
    """Admins, who receive every message, and read nothing."""
    sockets = [await joined(client, field.name(), "admin", 4_096) for _ in range(SLOW_READERS)]
    for socket in sockets:
        socket.connection.stop_reading()
    while field.open:
        for socket in sockets:
            await socket.send(b"")  # fails once the server has closed the socket
        await asyncio.sleep(0.5)


async def talkers(field: Field, client: Client) -> None:
    """Users who send up to their rate limit, and more."""
    socket = await joined(client, field.name())
    text = json.dumps(["mensaje_privado", {"para": "nobody", "mensaje": "x" * 9_500}])
    while field.open:
        await socket.send_raw(text_frame("42" + text) * 20 + text_frame("421" + text))
        while not str(await socket.receive()).startswith("431"):
            pass


async def oversized(field: Field, client: Client) -> None:
    """Messages and bodies over the size limit, with and without their length announced."""
    for head in (b"\x82\xff\x7f" + b"\xff" * 11, b"\x81\xfe\xff\xff\0\0\0\0", frame_bytes(BINARY, bytes(300_000))):
        socket = await joined(client, field.name())
        socket.connection.write(head)
        socket.connection.write(frame_bytes(TEXT, bytes(50_000)))
    for framing in ({"Content-Length": "99999999"}, {"Transfer-Encoding": "chunked"}):
        session = await client.polling()
        connection = await client.connect()
        connection.write(request_bytes("POST", session.target(), framing))
        connection.write(chunk(b"4" + bytes(60_000)) * 5)
        await until_closed(connection, field)


async def floods_of_pings(field: Field, client: Client) -> None:
    """Control frames, unsolicited pongs, pings that a client may not send."""
    socket = await joined(client, field.name())
    for data in (frame_bytes(PING, b"x" * 125), frame_bytes(PONG, b""), text_frame("3"), text_frame("2")):
        await socket.send_raw(data * 2_000)


async def floods_of_frames(field: Field, client: Client) -> None:
    """Frames that cost least to send: empty ones and fragments, some hundred kilobytes each."""
    empty = [frame_bytes(PONG, b""), text_frame("6"), frame_bytes(PING, b"")]
    parts = frame_bytes(TEXT, b"4", fin=False) + (frame_bytes(PONG, b"") * 20 + frame_bytes(0, b"", fin=False)) * 1_000
    for data in [*(frame * 20_000 for frame in empty), parts]:
        socket = await joined(client, field.name())
        await socket.send_raw(data)


async def floods_of_brackets(field: Field, client: Client) -> None:
    """Small JSON that makes many objects: before, in and after a CONNECT, by both transports."""
    brackets = "[" + "[]," * 30_000 + "1]"
    socket = await client.websocket()
    await socket.send_raw(text_frame('40{"x":' + brackets + "}") * 5)
    socket = await joined(client, field.name())
    await socket.send_raw(text_frame("42" + brackets.replace("[", '["x",', 1)) * 5)
    session = await client.polling(cookie(token(field.name())))
    few = "42" + '["x",' + "[]," * 500 + "1]"
    await session.post(SEPARATOR.join(["40", *[few] * 60]))


async def floods_of_polls(field: Field, client: Client) -> None:
    """Concurrent polls of one session, hundreds of pipelined requests, hundreds of packets."""
    session = await client.polling()
    target = session.target()
    pipelined = await client.connect()
    pipelined.write(request_bytes("POST", target, {}, SEPARATOR.join(["3"] * 900).encode()))
    pipelined.write(request_bytes("GET", client.target(transport="none")) * 300)
    for _ in range(AT_ONCE):
        connection = await client.connect()
        connection.write(request_bytes("GET", target) * 3)
    await client.settled()


async def floods_of_upgrades(field: Field, client: Client) -> None:
    """Dozens of upgrades of one session, each with a probe; some are completed."""
    session = await client.polling(cookie(token(field.name())))
    await session.post("40")
    for number in range(AT_ONCE):
        connection = await client.connect()
        said = text_frame("2probe") + (text_frame("5") * (number % 3) if number > AT_ONCE // 2 else b"")
        target = session.target(transport="websocket")
        connection.write(request_bytes("GET", target, handshake_headers()) + said)
    await client.settled()


async def reconnect_storms(field: Field, client: Client) -> None:
    """Users who connect, join and are disconnected at the same moment."""
    name = field.name()
    sockets = await asyncio.gather(*(joined(client, name) for _ in range(AT_ONCE)))
    for socket in sockets:
        socket.abort()


async def rubbish(field: Field, client: Client) -> None:
    """Bytes that are no HTTP, or too many headers."""
    for data in (
        b"\x16\x03\x01\x02\x00",
        os.urandom(5_000),
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        b"\r\n" * 5_000,
    ):
        connection = await client.connect()
        connection.write(data)
        await until_closed(connection, field)


ATTACKS: Final[tuple[Attack, ...]] = (
    slow_headers,
    half_open,
    strangers_who_poll,
    strangers_on_websockets,
    slow_readers,
    talkers,
    talkers,
    oversized,
    floods_of_pings,
    floods_of_frames,
    floods_of_brackets,
    floods_of_polls,
    floods_of_upgrades,
    reconnect_storms,
    rubbish,
)


async def _again_and_again(attack: Attack, field: Field) -> None:
    while field.open:
        async with field.client() as client:
            with contextlib.suppress(*EXPECTED):
                await attack(field, client)
        field.made[attack.__name__] += 1


async def play(attacks: Sequence[Attack], host: str, port: int, seconds: float) -> None:
    """Run all attacks at once."""
    field = Field(host, port, seconds)
    await asyncio.gather(*(_again_and_again(attack, field) for attack in attacks))
    print(json.dumps(field.made))


def main(attacks: Sequence[Attack]) -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every write to a closed connection
    host, port, seconds, *names = sys.argv[1:]
    chosen = [attack for attack in attacks if not names or attack.__name__ in names]
    asyncio.run(play(chosen, host, int(port), float(seconds)))


if __name__ == "__main__":
    main(ATTACKS)
