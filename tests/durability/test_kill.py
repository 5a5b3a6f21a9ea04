"""The daemon is killed with SIGKILL again and again: every acknowledged message is stored exactly once.

`make kill` does a hundred rounds. The rounds share one database, so that each starts on what the last one left: an
incomplete write-ahead log, a stale lock file, unacknowledged messages that are resent.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.chat.daemon import Daemon, daemon, spawn
from tests.conftest import number_of
from tests.durability.senders import Book, Sender
from tests.store.rig import Base, rows

SENDERS = 12
LONGEST_START_S = 1.0
LONGEST_LIFE_S = 0.5


async def killed_at_start(db: Path, dice: random.Random, *flags: str | Path) -> None:
    """Kill a daemon during its start."""
    process = await spawn("--db", db, *flags)
    asyncio.get_running_loop().call_later(dice.uniform(0.0, LONGEST_START_S), process.kill)
    await process.communicate()


async def killed_under_load(chatd: Daemon, senders: list[Sender], dice: random.Random, book: Book) -> None:
    """Kill a daemon after a few to a few thousand acknowledgements, or before the first client has joined."""
    running = [asyncio.create_task(sender.run(chatd.enter)) for sender in senders]
    if dice.random() < 0.9:
        await book.more_acknowledged(dice.randrange(1, 200))
    await asyncio.sleep(dice.uniform(0.0, LONGEST_LIFE_S))  # a random moment, not synchronisation
    chatd.process.kill()
    await chatd.process.wait()
    await asyncio.gather(*running)


def check(db: Base, book: Book) -> set[int]:
    """Every acknowledged message is stored once, under its acknowledged id; return all ids."""
    found = rows(db)
    by_id = {row.id: row for row in found}
    assert len(by_id) == len(found)
    for text, message_id in book.acknowledged.items():
        assert by_id[message_id].mensaje == text  # type: ignore[index]
        assert by_id[message_id].de == text.partition(" ")[0]  # type: ignore[index]
    copies = Counter(row.mensaje for row in found)
    assert {text for text in book.acknowledged if copies[text] != 1} == set()
    assert copies.keys() <= book.sent
    return set(by_id)


async def test_acknowledged_messages_survive_sigkill(db: Path, seed: int, request: pytest.FixtureRequest) -> None:
    """C-15, C-18"""
    dice, book, stored = random.Random(seed), Book(), set[int]()
    senders = [Sender(f"user-{number}", book) for number in range(SENDERS)]
    rounds = int(number_of(request, "--kill-rounds"))
    for _ in range(rounds):
        if dice.random() < 0.25:
            await killed_at_start(db, dice)
        async with daemon(db) as chatd:
            await killed_under_load(chatd, senders, dice, book)
        before, stored = stored, check(db, book)
        assert before <= stored
        assert min(stored - before, default=math.inf) > max(before, default=0), "ids grow across restarts"
    async with daemon(db) as chatd:
        await asyncio.gather(*(sender.settle(chatd.enter) for sender in senders))
    check(db, book)
    assert book.acknowledged.keys() == book.sent, "every resent message is acknowledged in the end"
    assert book.refused == Counter()
    print(f"{rounds} rounds of SIGKILL, {len(book.acknowledged)} messages acknowledged, {len(rows(db))} stored")
