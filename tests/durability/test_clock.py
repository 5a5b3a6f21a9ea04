"""The wall clock is changed while a daemon runs, or was wrong at a start: ids grow, tokens expire, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatd.chat.messages.ids import IdSource, first_id_of, parts
from chatd.store.base import MessageId
from tests.chat.daemon import ROOT, Daemon, daemon
from tests.chat.people import SECRET, Person, cookie, join, token
from tests.conformance.wire import Client
from tests.store.rig import rows

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
MINUTE_MS = 60_000


class Clock:
    """The wall clock of a daemon."""

    def __init__(self, chatd: Daemon, file: Path) -> None:
        self._chatd = chatd
        self._file = file

    async def set(self, offset_s: int, watcher: Person) -> list[int]:
        """Set the clock to `offset_s` from the true time; return the ids of messages written to observe it."""
        self._file.write_text(str(offset_s))
        self._chatd.process.send_signal(signal.SIGUSR1)
        ids: list[int] = []
        while True:
            stored = await watcher.write("root", "what time is it?")
            ids.append(int(stored["id"]))
            if abs(stored["fecha"] - (time.time() + offset_s) * 1_000) < MINUTE_MS:
                return ids


@contextlib.asynccontextmanager
async def daemon_with_clock(db: Path, folder: Path, *flags: str) -> AsyncIterator[tuple[Daemon, Clock]]:
    offset_file = folder / "offset"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.durability.with_clock", "serve", "--port", "0", "--log-format", "json"),
        *("--message-rate", "0", "--db", str(db), *flags),
        cwd=ROOT,
        env={**os.environ, "CHATD_JWT_SECRET": SECRET, "CLOCK_OFFSET_FILE": str(offset_file)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Daemon(process)
    try:
        listening = await running.logged("listening")
        async with Client(listening["host"], listening["port"], listening["path"]) as client:
            running.client = client
            yield running, Clock(running, offset_file)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def written(person: Person, count: int) -> list[int]:
    return [int((await person.write("root", str(number)))["id"]) for number in range(count)]


@pytest.mark.parametrize("steps_s", [[-HOUR_S], [HOUR_S, 0], [-HOUR_S, HOUR_S, -HOUR_S, 0]], ids=str)
async def test_a_clock_that_is_set_while_the_daemon_runs(db: Path, tmp_path: Path, steps_s: list[int]) -> None:
    """C-18"""
    async with daemon_with_clock(db, tmp_path) as (chatd, clock):
        ana = await chatd.enter("ana")
        ids = await written(ana, 20)
        for step_s in steps_s:
            ids += await clock.set(step_s, ana)
            ids += await written(ana, 20)
    assert ids == sorted(set(ids))
    assert [row.id for row in rows(db)] == ids


async def test_a_clock_that_is_set_ahead_ends_the_sockets_whose_tokens_have_expired(db: Path, tmp_path: Path) -> None:
    """C-09: they live for an hour; a socket with a longer token stays."""
    async with daemon_with_clock(db, tmp_path) as (chatd, clock):
        ana = await chatd.enter("ana")
        eva = await join(chatd.client, cookie(token("eva", ttl_s=3 * HOUR_S)))
        await clock.set(2 * HOUR_S, ana)
        *_, last = await ana.last_words()
        assert json.loads(str(last).removeprefix("42"))[1]["code"] == "token_expired"
        assert (await eva.write("root", "still here"))["ok"]


async def test_a_restart_after_the_clock_was_set_back(db: Path, tmp_path: Path) -> None:
    """C-18: an hour ahead, then killed, then the true time"""
    async with daemon_with_clock(db, tmp_path) as (chatd, clock):
        ana = await chatd.enter("ana")
        ids = await clock.set(HOUR_S, ana) + await written(ana, 20)
    async with daemon(db) as chatd:
        ids += await written(await chatd.enter("ana"), 20)
    assert ids == sorted(set(ids))
    assert [row.id for row in rows(db)] == ids


async def test_the_greatest_id_of_the_database_is_an_hour_ahead(db: Path) -> None:
    """C-18: whatever wrote it; any number of messages fits between the two"""
    async with daemon(db):
        pass
    ahead = IdSource(lambda: int((time.time() + HOUR_S) * 1_000), 1_023, None).next()
    row: tuple[Any, ...] = (ahead, "x", "y", "from the future", 0, 0)
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("INSERT INTO mensajes (id, de, para, mensaje, fecha, supervisado) VALUES (?,?,?,?,?,?)", row)
    async with daemon(db) as chatd:
        senders = [await chatd.enter(f"user {number}") for number in range(5)]
        lists = await asyncio.gather(*(written(sender, 100) for sender in senders))
    for ids in lists:
        assert ids == sorted(ids)
    everybody = [message_id for ids in lists for message_id in ids]
    assert len(set(everybody)) == 500
    assert min(everybody) > ahead
    assert parts(MessageId(max(everybody))).ms - parts(ahead).ms < MINUTE_MS, "new ids follow it at the usual rate"


async def test_a_start_with_a_clock_that_is_far_ahead_loses_no_message(db: Path, tmp_path: Path) -> None:
    """C-59: fresh messages, a start with the clock 400 days ahead, and then the true time again."""
    async with daemon_with_clock(db, tmp_path, "--retention", "30") as (chatd, _):
        await written(await chatd.enter("ana"), 20)
        # Old by date, but written while a clock was ahead: their ids are of next year.
        old = put_ahead(db, age_days=40, count=5)
    (tmp_path / "offset").write_text(str(400 * DAY_S))
    async with daemon_with_clock(db, tmp_path, "--retention", "30") as (chatd, clock):
        assert (await chatd.logged(WAITS))["step_s"] // DAY_S == 400
        eva = await join(chatd.client, cookie(token("eva", ttl_s=500 * DAY_S)))
        await written(eva, 5)
        assert len(rows(db)) == 20 + 5 + 5
        await clock.set(0, eva)
        assert (await chatd.logged("old messages deleted"))["messages"] == 5
        assert old.isdisjoint(row.id for row in rows(db))
        assert len(rows(db)) >= 25


WAITS = "old messages are not deleted: the clock is far ahead of what the database knows; see chatd clock"


def put_ahead(db: Path, *, age_days: int, count: int) -> set[int]:
    """Insert messages dated `age_days` ago with ids of next year; return the ids."""
    now_ms = int(time.time() * 1_000)
    first, fecha = first_id_of(now_ms + 300 * DAY_S * 1_000), now_ms - age_days * DAY_S * 1_000
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        insert = "INSERT INTO mensajes VALUES (?, 'x', 'y', 'old', ?, 1, NULL)"
        connection.executemany(insert, [(first + number, fecha) for number in range(count)])
    return {first + number for number in range(count)}
