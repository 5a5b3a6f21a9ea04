"""Real clients: one sender and many subscribers of socket.io-client in a Node.js process, run by clients/jitter.mjs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.load import LoadError
from bench.script import Script, script

PATIENCE_S: Final = 90.0  # for any answer; the script itself gives up after 30 s


class Heard(msgspec.Struct, frozen=True):
    """The record of one subscriber. Times are milliseconds of the monotonic clock."""

    connects: list[tuple[float, bool]]  # with `recovered`
    messages: list[tuple[float, int]]  # with the number, or -1 for a message that was never sent
    errors: int  # failed connection attempts


class Heardings(msgspec.Struct, frozen=True):
    """The record of a run: the numbers that the sender sent, with their times, and its refusals."""

    sent: list[tuple[float, int]]
    refused: list[tuple[int, str]]
    subscribers: list[Heard]


@dataclass(frozen=True, slots=True)
class People:
    """The tokens of the sender and the subscribers; and the options of their clients, the same for all."""

    sender: str
    subscribers: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


class Crowd:
    """The clients of one run. Every method raises LoadError when the script fails or stops answering."""

    def __init__(self, running: Script) -> None:
        self._order = running.order

    async def open(self, port: int, sender_port: int, people: People) -> None:
        """Connect all clients; the sender uses another port, which leads directly to the server."""
        away = await self._order(
            "open",
            url=_url(port),
            senderUrl=_url(sender_port),
            senderToken=people.sender,
            tokens=list(people.subscribers),
            options=dict(people.options),
        )
        if away:
            raise LoadError(f"{away} of {len(people.subscribers)} subscribers did not get in")

    async def start(self, para: str, every_ms: int) -> None:
        """Start sending."""
        await self._order("start", para=para, everyMs=every_ms)

    async def stop(self) -> None:
        """Stop sending; return when every message is acknowledged."""
        await self._order("stop")

    async def last(self, para: str) -> None:
        """Send one more message while all are connected: return when all have it, or no more will get it."""
        await self._order("last", para=para)

    async def report(self) -> Heardings:
        return msgspec.convert(await self._order("report"), Heardings)


@contextlib.asynccontextmanager
async def crowd(node: Path, folder: Path, client: str = "socket.io-client") -> AsyncIterator[Crowd]:
    """A process for the time of a block, with the package `client` of `folder`/node_modules."""
    async with script("jitter.mjs", node, folder, client, PATIENCE_S) as running:
        yield Crowd(running)
