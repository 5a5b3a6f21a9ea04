"""Other clients during a flood: a supervisor that requests `/healthz`, and newcomers that open a WebSocket and join."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.fairness.line import EndedError
from bench.fairness.people import Person

HEALTH_EVERY_S: Final = 0.05
HEALTH_TIMEOUT_S: Final = 30.0
NEWCOMER_EVERY_S: Final = 0.1
GONE: Final = (OSError, EndedError, TimeoutError)


@dataclass(slots=True)
class Seen:
    """Durations of answers and joins in seconds, and the numbers of failures."""

    health: list[float] = field(default_factory=list)
    unanswered: int = 0
    joins: list[float] = field(default_factory=list)
    newcomers: int = 0


async def health(seen: Seen, port: int, seconds: float) -> None:
    """Consecutive requests, each on a new connection."""
    end = time.monotonic() + seconds
    while (begin := time.monotonic()) < end:
        try:
            await _ask(port)
        except GONE:
            seen.unanswered += 1
        spent = time.monotonic() - begin
        seen.health.append(spent)
        await asyncio.sleep(max(0.0, HEALTH_EVERY_S - spent))


async def _ask(port: int) -> None:
    async with asyncio.timeout(HEALTH_TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if not (await reader.readline()).startswith(b"HTTP/1.1 200 "):
                raise EndedError("/healthz is not well")
        finally:
            writer.transport.abort()


def newcomers_in(seconds: float) -> int:
    return max(1, int(seconds / NEWCOMER_EVERY_S))


async def newcomers(seen: Seen, port: int, source: str, tokens: Sequence[tuple[str, str]]) -> None:
    """One newcomer for each of `tokens`, with its user, at even intervals, whatever the state of earlier ones."""
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, (name, token) in enumerate(tokens):
            await asyncio.sleep(start + number * NEWCOMER_EVERY_S - time.monotonic())
            group.create_task(_come(seen, port, source, name, token))


async def _come(seen: Seen, port: int, source: str, name: str, token: str) -> None:
    seen.newcomers += 1
    begin = time.monotonic()
    try:
        person = await Person.enter(port, source, name, token)
    except GONE:
        return
    seen.joins.append(time.monotonic() - begin)
    person.leave()
