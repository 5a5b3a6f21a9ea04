"""The clients of a run: sockets of socket.io-client in a Node.js process, run by clients/cluster.mjs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.script import Script, script

PATIENCE_S: Final = 120.0  # for any answer
ACKNOWLEDGED_S: Final = 40.0  # for the last acknowledgements


@dataclass(frozen=True, slots=True)
class Writes:
    """The addressee of a person's messages, and their interval."""

    para: str
    everyMs: int  # noqa: N815  # as the script reads it


@dataclass(frozen=True, slots=True)
class Person:
    """One socket; a user may have several. `options` are those of socket.io-client."""

    user: str
    rol: str
    token: str
    options: Mapping[str, Any] = field(default_factory=dict)
    writes: Writes | None = None

    def hears(self, sent: Sent) -> bool:
        """The rules of the chat: the addressee receives a message, and all admins receive those of users."""
        return self.user == sent.para or (sent.rol != "admin" and self.rol == "admin")


class Sent(msgspec.Struct, frozen=True):
    """A message: when it was sent, and acknowledged; `node` is the node of its sender at that time.

    It was sent once, or again after each refusal that asks for a retry: `sendings` times in all.
    """

    writer: int
    user: str
    rol: str
    para: str
    text: str
    due: float
    acked: float | None
    id: str | None
    node: int
    sendings: int = 1


class Heard(msgspec.Struct, frozen=True):
    """The record of one socket: its connects, each with `recovered`; time, text, own node and id of each message.

    Only chatd has ids.
    """

    connects: list[tuple[float, bool]]
    heard: list[tuple[float, str, int, str | None]]


class Record(msgspec.Struct, frozen=True):
    """The records of a run; `refused` are messages that were refused for good."""

    sent: list[Sent]
    refused: list[tuple[str, str]]
    people: list[Heard]


class Clients:
    """Every method raises LoadError when the script fails or stops answering."""

    def __init__(self, running: Script) -> None:
        self._order = running.order

    async def open(self, url: str, people: Sequence[Person], ack_timeout_ms: int) -> list[int]:
        """Connect all clients, one after the other. Returns the node of each."""
        nodes: list[int] = await self._order(
            "open", url=url, people=[asdict(person) for person in people], ackTimeoutMs=ack_timeout_ms
        )
        return nodes

    async def start(self) -> None:
        """Start sending."""
        await self._order("start")

    async def stop(self) -> None:
        """Stop sending; return when every message is acknowledged, or after a timeout."""
        await self._order("stop", patienceMs=1000 * ACKNOWLEDGED_S)

    async def caught_up(self, quiet_s: float) -> int:
        """Wait until all sent messages have been received, or no further one has been received for `quiet_s`.

        Returns the number of missing deliveries.
        """
        return int(await self._order("caughtUp", quietMs=1000 * quiet_s))

    async def nodes(self) -> list[int]:
        """The node of each client; 0 for one that is not connected."""
        found: list[int] = await self._order("nodes")
        return found

    async def record(self) -> Record:
        return msgspec.convert(await self._order("report"), Record)


@contextlib.asynccontextmanager
async def clients(node: Path, folder: Path, client: str = "socket.io-client") -> AsyncIterator[Clients]:
    """A process for the time of a block, with the package `client` of `folder`/node_modules."""
    async with script("cluster.mjs", node, folder, client, PATIENCE_S) as running:
        yield Clients(running)
