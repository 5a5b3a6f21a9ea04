"""Clients come and go for minutes (`make soak`), and some are killed: after all have disconnected,
the server holds what it held at the start, and its memory does not grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.attack.api_visitors import API_VISITS
from tests.attack.visitors import VISITS, Visitors
from tests.chat.daemon import ROOT
from tests.conftest import number_of
from tests.store.rig import rows

AT_ONCE = 20
ROUNDS = 6

# The last packets wait for half a minute after a heartbeat timeout of three quarters of a minute.
FOR_EVER_S = 300.0

# The first rounds fill SQLite's pages and statements, and have the greatest bursts of the run.
WARM_AFTER = 2
GROWTH_MB = 4.0

# Blocks of Python's allocator without a known cause; a leak of one in every hundredth visit would be more.
GROWTH_BLOCKS = 500

# What may be kept of disconnected users, for a limited time and with a bound (chat/messages/once.py). Bytes a block.
CACHES = frozenset({"chatd.chat.messages.cids.Cids", "chatd.chat.messages.once.Sender"})
CACHED_BYTES = 130


class Watched:
    """The process of tests/attack/watched.py, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer

    async def ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        return await self.answer()

    async def settled(self) -> dict[str, Any]:
        """The counts after every deadline has passed."""
        for _ in range(5):
            await self.ask(f"skip {FOR_EVER_S}")
        return await self.ask("look")


@contextlib.asynccontextmanager
async def watched(db: Path) -> AsyncIterator[Watched]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attack.watched", db),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Watched(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()  # ends the process
        await process.communicate()
    assert process.returncode == 0


async def killed_clients(where: dict[str, Any], dice: random.Random, until: float) -> None:
    """Processes with clients of all kinds, ended by SIGKILL."""
    while (left_s := until - time.monotonic()) > 0:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.attack.hostile", where["host"], str(where["port"]), "60"),
            *("floods_of_upgrades", "reconnect_storms", "half_open", "talkers"),
            cwd=ROOT,
        )
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, dice.uniform(0.5, 3.0))):
                    await process.wait()
        finally:
            process.kill()
        await process.wait()


async def one_round(where: dict[str, Any], visitors: Visitors, dice: random.Random, seconds: float) -> None:
    until = time.monotonic() + seconds

    async def come_again() -> None:
        while time.monotonic() < until:
            await visitors.visit()

    async with asyncio.TaskGroup() as group:
        group.create_task(killed_clients(where, dice, until))
        for _ in range(AT_ONCE):
            group.create_task(come_again())


def kept(looked: dict[str, Any]) -> dict[str, Any]:
    """The counts that must be the same before and after: all but memory and caches."""
    objects = {name: count for name, count in looked["objects"].items() if name not in CACHES}
    return {**looked["holdings"], **objects}


def held_mb(looked: dict[str, Any]) -> float:
    """Memory without that of the caches, whose bounds are tested elsewhere."""
    return float(looked["memory_mb"] - looked["blocks"]["cached"] * CACHED_BYTES / 1_048_576)


def held_blocks(looked: dict[str, Any]) -> int:
    return int(looked["blocks"]["used"] - looked["blocks"]["cached"])


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = before.keys() | after.keys()
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


async def test_nothing_is_kept_of_disconnected_clients(db: Path, seed: int, request: pytest.FixtureRequest) -> None:
    dice, seconds = random.Random(seed), number_of(request, "--soak-seconds")
    looked: list[dict[str, Any]] = []
    async with watched(db) as server:
        where = await server.answer()
        chat, api = (where["host"], where["port"], where["path"]), tuple(where["api"])
        visitors = Visitors([(VISITS, chat), (API_VISITS, api)], dice)
        await one_round(where, visitors, dice, 0.5)  # warm-up: uses every class and every statement once
        looked.append(await server.settled())
        for _ in range(ROUNDS):
            await one_round(where, visitors, dice, seconds / ROUNDS)
            looked.append(await server.settled())
    book = visitors.book
    print(f"visits: {dict(book.visits)}, {len(book.acknowledged)} messages acknowledged")
    print("memory after each round:", ", ".join(f"{look['memory_mb']:.1f} MB" for look in looked))
    print("without what caches may keep:", ", ".join(f"{held_mb(look):.1f} MB" for look in looked))
    print("blocks without those of caches:", ", ".join(f"{held_blocks(look):,}" for look in looked))
    for look in looked:
        assert look["errors"] == []
        assert changes(kept(looked[0]), kept(look)) == {}
    assert held_mb(looked[-1]) - held_mb(looked[WARM_AFTER]) < GROWTH_MB
    assert held_blocks(looked[-1]) - held_blocks(looked[WARM_AFTER]) < GROWTH_BLOCKS
    found = Counter(row.mensaje for row in rows(db) if row.de.startswith("user-"))
    assert book.acknowledged.keys() <= found.keys() <= book.sent
    assert set(found.values()) == {1}
