"""Actions of an attacker's socket, until the server ends it or the time is over. All of them are legal packets."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.fairness.line import EndedError, Line
from bench.fairness.wire import (
    HANDSHAKE,
    NOWHERE,
    POLLING,
    SEPARATOR,
    WEBSOCKET,
    chunked_post,
    compact,
    event,
    get,
    post,
    text,
)

BLOCK_BYTES: Final = 65_536
PACE_PER_S: Final = 9.0  # below the rate limit of a user
CIDS_AT_ONCE: Final = 100

LETTER: Final = {"para": "nobody", "mensaje": "x" * 64}

_PID: Final = re.compile(rb'"pid":"([^"]+)"')


@dataclass(slots=True)
class Count:
    """The end of a flood, and the counts of all its sockets."""

    end: float
    sockets: int
    opened: int = 0
    ended: int = 0
    rounds: int = 0
    sent_bytes: int = 0
    all_open: asyncio.Event = field(default_factory=asyncio.Event)

    def open_one(self) -> None:
        self.opened += 1
        if self.opened == self.sockets:
            self.all_open.set()


@dataclass(slots=True)
class Field:
    """The context of a socket: the server, the attacker's token, and the common counts."""

    port: int
    source: str
    token: str
    junk: Sequence[str]
    offset: str
    count: Count
    _lines: list[Line] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return time.monotonic() < self.count.end

    async def line(self) -> Line:
        line = await Line.open(self.port, self.source)
        self._lines.append(line)
        return line

    async def send(self, line: Line, data: bytes) -> None:
        self.count.sent_bytes += len(data)
        await line.send(data)

    async def drop(self, line: Line) -> None:
        self._lines.remove(line)
        await line.cut()

    async def drop_all(self) -> None:
        for line in list(self._lines):
            await self.drop(line)


Visit = Callable[[Field], Awaitable[None]]


# Parts of visits.


async def websocket(at: Field, token: str = "") -> Line:
    """A session on a WebSocket, which has not joined."""
    line = await at.line()
    await at.send(line, get(WEBSOCKET, token, HANDSHAKE))
    await line.head(101)
    await line.until(b'"maxPayload":')
    await line.until(b"}")
    at.count.open_one()
    return line


async def join(at: Field, line: Line, auth: str = "") -> bytes:
    """Send CONNECT, and return the answer, which must accept it."""
    await at.send(line, text(f"40{auth}"))
    answer = await line.until(b"}")
    if b"40{" not in answer:
        raise EndedError(answer)
    return answer


async def member(at: Field) -> Line:
    """A WebSocket that has joined."""
    line = await websocket(at, at.token)
    await join(at, line)
    return line


async def polling(at: Field) -> tuple[Line, str]:
    """A session on long-polling, and its connection."""
    line = await at.line()
    await at.send(line, get(POLLING, at.token))
    sid = await line.sid()
    at.count.open_one()
    return line, sid


async def hammer(at: Field, line: Line, data: bytes) -> None:
    """Send the same data repeatedly, and ignore the answers."""
    times = max(1, BLOCK_BYTES // len(data))
    block = data * times
    line.ignore()
    while at.open:
        await at.send(line, block)
        at.count.rounds += times


# Visits that repeat one request.


def strangers(data: bytes) -> Visit:
    async def visit(at: Field) -> None:
        await hammer(at, await websocket(at), data)

    return visit


def members(data: bytes) -> Visit:
    async def visit(at: Field) -> None:
        await hammer(at, await member(at), data)

    return visit


def slow_members(data: bytes) -> Visit:
    """At the rate limit of a user."""

    async def visit(at: Field) -> None:
        line = await member(at)
        line.ignore()
        while at.open:
            await at.send(line, data)
            at.count.rounds += 1
            await asyncio.sleep(1 / PACE_PER_S)

    return visit


def requests(data: bytes) -> Visit:
    """HTTP requests without waiting for answers."""

    async def visit(at: Field) -> None:
        line = await at.line()
        at.count.open_one()
        await hammer(at, line, data)

    return visit


def posts(packet: str) -> Visit:
    """A thousand packets in each POST, the maximum."""
    body = SEPARATOR.join([packet] * 1_000).encode()

    async def visit(at: Field) -> None:
        line, sid = await polling(at)
        await _post_again_and_again(at, line, post(sid, body))

    return visit


# Other visits.


async def junk_signatures(at: Field) -> None:
    """CONNECT with different tokens that have forged signatures."""
    every = (text(f"40{compact({'token': token})}") for token in at.junk)
    await hammer(at, await websocket(at), b"".join(every))


async def cids(at: Field) -> None:
    """Messages with a new `cid` each: the server must look each of them up on the disk."""
    line = await member(at)
    line.ignore()
    some = (event("mensaje_privado", LETTER | {"cid": f"#######-{each}"}) for each in range(CIDS_AT_ONCE))
    block = b"".join(some)
    while at.open:
        await at.send(line, block.replace(b"#######", b"%07d" % at.count.rounds))
        at.count.rounds += CIDS_AT_ONCE


async def recovery(at: Field) -> None:
    """Join, then reconnect with the pid repeatedly, each time with hundreds of missed messages."""
    line = await websocket(at, at.token)
    found = _PID.search(await join(at, line))
    await at.drop(line)
    if found is None:
        raise EndedError
    auth = compact({"pid": found[1].decode(), "offset": at.offset})
    while at.open:
        line = await websocket(at, at.token)
        await join(at, line, auth)
        at.count.rounds += 1
        await at.drop(line)


async def come_and_go(at: Field) -> None:
    """A whole session: open, join, abort."""
    await at.drop(await member(at))
    at.count.rounds += 1


async def knock(at: Field) -> None:
    """A connection without any data."""
    await at.drop(await at.line())
    at.count.open_one()
    at.count.rounds += 1


async def polling_sessions(at: Field) -> None:
    """Open a session by long-polling and close it, on one connection."""
    line = await at.line()
    while at.open:
        await at.send(line, get(POLLING))
        sid = await line.sid()
        at.count.open_one()
        await at.send(line, post(sid, b"1"))
        await line.until(b"\r\n\r\nok")
        at.count.rounds += 1


async def chunks(at: Field) -> None:
    """POSTs whose bytes are single chunks."""
    line, sid = await polling(at)
    await _post_again_and_again(at, line, chunked_post(sid, b"6" + b"x" * 9_999))


async def _post_again_and_again(at: Field, line: Line, data: bytes) -> None:
    while at.open:
        await at.send(line, data)
        await line.until(b"\r\n\r\nok")
        at.count.rounds += 1


async def upgrades(at: Field) -> None:
    """Upgrades from long-polling to WebSocket, each in a new session."""
    while at.open:
        first, sid = await polling(at)
        line = await _probed(at, sid)
        await at.send(line, text("5") + text("1"))
        at.count.rounds += 1
        await at.drop(line)
        await at.drop(first)


async def probes(at: Field) -> None:
    """Upgrades of one session that are started and abandoned."""
    _, sid = await polling(at)
    while at.open:
        await at.drop(await _probed(at, sid))
        at.count.rounds += 1


async def _probed(at: Field, sid: str) -> Line:
    line = await at.line()
    await at.send(line, get(f"{WEBSOCKET}&sid={sid}", headers=HANDSHAKE))
    await line.head(101)
    await at.send(line, text("2probe"))
    await line.until(b"3probe")
    return line


PIPELINED: Final = get(NOWHERE)
LONG_HEADS: Final = get(NOWHERE, headers="".join(f"X-{i}: {'y' * 100}\r\n" for i in range(90)))  # 10 KB
