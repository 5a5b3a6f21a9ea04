"""A receiver that fails in every way, and a daemon that is killed with SIGKILL, again and again: every event is
delivered at least once, in the order of each conversation, and none is forgotten.

`make hooks ROUNDS=200` does two hundred rounds. They share one database, one hook and one receiver, so that each starts
on the state of the last one: events in delivery, a position before them, and messages of unknown outcome to retry.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.chat.daemon import Daemon, daemon
from tests.conftest import number_of
from tests.durability.senders import Book, Sender
from tests.durability.test_kill import killed_at_start
from tests.store.rig import rows
from tests.webhooks.receiver import CLOSE, HANG, LATE, LOST, Answer, Receiver, receiving, write_config

SENDERS: Final = 6
LONGEST_LIFE_S: Final = 1.0
LONGEST_ABSENCE_S: Final = 0.5

WEATHER: Final[dict[Answer, int]] = {200: 60, LATE: 10, LOST: 6, CLOSE: 6, HANG: 2, 500: 6, 503: 6, 302: 2, 404: 2}
"""Answers of the receiver, in percent."""

MOST_AT_A_LOOK: Final = 1_000  # to count what was delivered takes longer the more that is

HOOK: Final = "private_addresses = true\ntimeout = 0.3\nmax_tries = 1000"


async def killed_while_delivering(chatd: Daemon, senders: list[Sender], dice: random.Random, book: Book) -> None:
    """Run a daemon, send messages, cut their senders, and kill it soon after."""
    running = [asyncio.create_task(sender.run(chatd.enter)) for sender in senders]
    await book.more_acknowledged(dice.randrange(1, 60))
    await chatd.client.aclose()
    await asyncio.sleep(dice.uniform(0.0, LONGEST_LIFE_S))  # a random moment for the kill, not a wait for a state
    chatd.process.kill()
    await chatd.process.wait()
    await asyncio.gather(*running)


@contextlib.asynccontextmanager
async def dying(receiver: Receiver, dice: random.Random) -> AsyncIterator[None]:
    """During the block the receiver is killed at random for random times; it runs again at the end."""

    async def die() -> None:
        while True:
            await receiver.more_tried(dice.randrange(1, 60))
            await receiver.stop()
            await asyncio.sleep(dice.uniform(0.0, LONGEST_ABSENCE_S))
            await receiver.start()

    task = asyncio.create_task(die())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await receiver.stop()
        await receiver.start()


async def begun(db: Path) -> None:
    """Wait until the hook has its first position: only later events are delivered."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.closing(sqlite3.connect(db)) as connection:
                if connection.execute("SELECT count(*) FROM ganchos").fetchone() != (0,):
                    return
            await asyncio.sleep(0.01)  # a table has no event to wait for


async def all_delivered(receiver: Receiver, events: int) -> None:
    """After two hundred rounds thousands may be behind: that takes long, but a hook that stands still fails."""
    while (missing := events - len(receiver.texts())) > 0:
        await receiver.more_taken(min(missing, MOST_AT_A_LOOK))


async def test_every_event_is_delivered_in_order(tmp_path: Path, seed: int, request: pytest.FixtureRequest) -> None:
    """W-04, W-05"""
    dice, book, db = random.Random(seed), Book(), tmp_path / "chatd.db"
    senders = [Sender(f"user-{number}", book) for number in range(SENDERS)]
    rounds = int(number_of(request, "--hook-rounds"))
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, HOOK)
        async with daemon(db, "--config", config):
            await begun(db)
        receiver.answer = lambda _: dice.choices(list(WEATHER), list(WEATHER.values()))[0]
        for _ in range(rounds):
            if dice.random() < 0.2:
                await killed_at_start(db, dice, "--config", config)
            async with daemon(db, "--config", config) as chatd, dying(receiver, dice):
                await killed_while_delivering(chatd, senders, dice, book)
        receiver.answer = lambda _: 204
        async with daemon(db, "--config", config) as chatd:
            await asyncio.gather(*(sender.settle(chatd.enter) for sender in senders))
            stored = rows(db)
            await all_delivered(receiver, len(stored))
    for sender in senders:
        assert receiver.texts(sender.name) == [row.mensaje for row in stored if row.de == sender.name]
    print(f"{rounds} rounds, {len(stored)} events, {len(receiver.tried)} requests, {len(receiver.taken)} taken")
