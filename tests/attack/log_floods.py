"""Floods of requests, one for each limit, that reach this limit TIMES times.

Each waits for the server's answer or close, so that the limit has been counted.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from chatd.chat.limits import TYPING_BURST, ChatLimit
from chatd.engineio.limits import Limit
from chatd.engineio.reader import MAX_FRAGMENTS
from chatd.listen.limits import ListenLimit
from chatd.socketio.limits import SocketLimit
from tests.chat.daemon import Daemon
from tests.chat.people import cookie, refused, token
from tests.conformance.wire import CONTINUATION, TEXT, Connection, PollingSession, frame_bytes, joined
from tests.listen.test_files import FEW_FILES, connections_until_refused

TIMES: Final = 12

NEW: Final = {"EIO": "4", "transport": "polling"}

Flood = Callable[[Daemon], Awaitable[None]]


class Row(NamedTuple):
    """A flood, the flags of the daemon that it attacks, and the command that starts this daemon."""

    flood: Flood
    flags: Sequence[str] = ()
    before: Sequence[str] = ()


def repeated(once: Flood) -> Flood:
    async def flood(chatd: Daemon) -> None:
        for _ in range(TIMES):
            await once(chatd)

    return flood


def at_once(once: Flood) -> Flood:
    """Concurrently, for requests that take time."""

    async def flood(chatd: Daemon) -> None:
        await asyncio.gather(*(once(chatd) for _ in range(TIMES)))

    return flood


def handshakes(status: int, headers: Mapping[str, str] | None = None, **query: str) -> Flood:
    """The first handshake may be accepted."""

    async def flood(chatd: Daemon) -> None:
        answers = [await chatd.client.request("GET", NEW | query, headers or {}) for _ in range(TIMES + 1)]
        assert [answer.status for answer in answers[1:]] == [status] * TIMES

    return flood


def websockets(*messages: str) -> Flood:
    """Each socket sends `messages` before it joins; then the server closes it."""

    @repeated
    async def flood(chatd: Daemon) -> None:
        websocket = await chatd.client.websocket()
        for message in messages:
            await websocket.send(message)
        await websocket.messages_until_closed()

    return flood


@repeated
async def long_head(chatd: Daemon) -> None:
    connection = await chatd.client.connect()
    connection.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000)
    assert (await connection.answer()).status == 431


@at_once
async def slow_head(chatd: Daemon) -> None:
    connection = await chatd.client.connect()
    connection.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
    assert (await connection.answer()).status == 408


@at_once
async def silent_session(chatd: Daemon) -> None:
    await (await chatd.client.websocket()).messages_until_closed()


@repeated
async def half_message(chatd: Daemon) -> None:
    websocket = await chatd.client.websocket()
    await websocket.send_raw(frame_bytes(TEXT, b"4" * 9_000)[:6_000])
    await websocket.messages_until_closed()


@repeated
async def fragments(chatd: Daemon) -> None:
    websocket = await chatd.client.websocket()
    first, more = frame_bytes(TEXT, b"", fin=False), frame_bytes(CONTINUATION, b"", fin=False)
    await websocket.send_raw(first + more * MAX_FRAGMENTS)
    await websocket.messages_until_closed()


async def posted(chatd: Daemon, user: str) -> PollingSession:
    session = await chatd.client.polling(cookie(token(user)))
    await session.post("40")
    await session.poll()
    return session


@repeated
async def long_post(chatd: Daemon) -> None:
    session = await chatd.client.polling()
    assert (await session.post("4" * 20_000)).status == 413


@repeated
async def many_packets(chatd: Daemon) -> None:
    session = await chatd.client.polling()
    await session.post(joined(["4"] * 3))
    assert not await session.is_alive()


@repeated
async def messages_to_oneself(chatd: Daemon) -> None:
    """The sender does not poll."""
    session = await posted(chatd, "ana")
    await session.post(joined([f'42["mensaje_privado",{{"para":"ana","mensaje":"{"x" * 9_000}"}}]'] * 10))
    assert not await session.is_alive()


@repeated
async def containers(chatd: Daemon) -> None:
    ana = await chatd.enter("ana")
    await ana.websocket.send(f"42[{','.join(['[]'] * 10_001)}]")
    await ana.last_words()


async def too_many_sockets(chatd: Daemon) -> None:
    await chatd.enter("ana")
    for _ in range(TIMES):
        assert (await refused(chatd.client, cookie(token("ana"))))[0] == "too_many_connections"


def events(event: str, argument: object, free: int) -> Flood:
    """From one socket, which may send `free` events before the limit."""

    async def flood(chatd: Daemon) -> None:
        ana = await chatd.enter("ana")
        answers = [await ana.ask(event, argument) for _ in range(free + TIMES)]
        codes = [answer.get("error", {}).get("code") for answer in answers[free:]]
        assert codes == ["rate_limited"] * TIMES

    return flood


async def handshakes_at_a_stop(chatd: Daemon) -> None:
    """The stop closes one session a second, which leaves time for handshakes."""
    held = [await chatd.client.websocket() for _ in range(5)]
    connections = [await chatd.client.connect() for _ in range(TIMES)]
    for connection in connections:
        await connection.request("GET", "/elsewhere")
    chatd.process.send_signal(signal.SIGTERM)
    await chatd.logged("stopping")
    for connection in connections:
        assert (await connection.request("GET", chatd.client.target(**NEW))).status == 503
    for websocket in held:
        websocket.abort()


async def connections_without_a_file(chatd: Daemon) -> None:
    await connections_until_refused(chatd)
    for _ in range(TIMES):
        assert (await (await chatd.client.connect()).answer()).json()["detail"] == "open_files"


async def unfinished_tls(chatd: Daemon) -> None:
    """Connections without a TLS ClientHello: 100 are allowed, the others are closed."""
    held: list[Connection] = [await chatd.client.connect() for _ in range(100)]
    for _ in range(TIMES):
        assert await (await chatd.client.connect()).rest() == b""
    assert not any(connection.at_end for connection in held)


FLOODS: Final[Mapping[StrEnum, Row]] = {
    Limit.MAX_CONNECTIONS: Row(handshakes(503), ["--max-connections", "1"]),
    Limit.MAX_CONNECTIONS_PER_ADDRESS: Row(handshakes(429), ["--max-connections-per-address", "1"]),
    Limit.ACCEPT_RATE: Row(handshakes(503), ["--accept-rate", "0.01"]),
    Limit.ACCEPT_RATE_PER_ADDRESS: Row(handshakes(429), ["--accept-rate-per-address", "0.01"]),
    Limit.ORIGIN: Row(handshakes(403, {"Origin": "https://evil.example"})),
    Limit.PROTOCOL: Row(handshakes(400, EIO="3")),
    Limit.MAX_HEADER: Row(long_head),
    Limit.REQUEST_TIMEOUT: Row(slow_head, ["--request-timeout", "0.1"]),
    Limit.MAX_PAYLOAD: Row(long_post),
    Limit.MAX_PACKETS: Row(many_packets, ["--max-packets", "2"]),
    Limit.MAX_UNFINISHED: Row(half_message, ["--max-unfinished", "5000"]),
    Limit.MAX_UNFINISHED_PER_CLIENT: Row(half_message, ["--max-unfinished-per-client", "5000"]),
    Limit.MAX_QUEUED: Row(messages_to_oneself, ["--max-queued", "65536"]),
    Limit.FRAGMENTS: Row(fragments),
    Limit.STOPPING: Row(handshakes_at_a_stop, ["--stop-rate", "1"]),
    SocketLimit.CONNECT_TIMEOUT: Row(silent_session, ["--connect-timeout", "0.05"]),
    SocketLimit.MAX_ATTACHMENTS: Row(websockets('4511-["x"]')),
    SocketLimit.MAX_DEPTH: Row(websockets("42" + "[" * 100 + "]" * 100)),
    SocketLimit.CONTAINERS: Row(containers),
    SocketLimit.MAX_REFUSED: Row(websockets("40/x,", "40/x,"), ["--max-refused", "1"]),
    ChatLimit.MAX_CONNECTIONS_PER_USER: Row(too_many_sockets, ["--max-connections-per-user", "1"]),
    ChatLimit.MESSAGE_RATE: Row(events("quien_soy", None, 2), ["--message-rate", "0.01", "--message-burst", "2"]),
    ChatLimit.TYPING_RATE: Row(
        events("escribiendo", {"para": "root", "activo": True}, TYPING_BURST), ["--typing-rate", "0.01"]
    ),
    ChatLimit.MAX_CHARS_PER_MINUTE: Row(
        events("mensaje_privado", {"para": "root", "mensaje": "x" * 20}, 1), ["--max-chars-per-minute", "20"]
    ),
    ListenLimit.OPEN_FILES: Row(connections_without_a_file, before=FEW_FILES),
    ListenLimit.TLS_HANDSHAKES: Row(unfinished_tls, ["--tls-cert", "{certificate}"]),
}
"""The row of each limit."""

UNREACHABLE: Final[Mapping[StrEnum, str]] = {
    SocketLimit.MAX_NAMESPACES: "the chat has one namespace",
    ListenLimit.TLS_FAULT: "is counted, and logged for debugging alone",
}
