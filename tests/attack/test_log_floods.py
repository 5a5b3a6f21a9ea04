"""Every log line that clients can cause, caused over and over by real clients of a real daemon.

The log stays small, counts the lines that it left out, and still has what an operator needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from chatd.api.door import ApiLimit
from chatd.base.refusals import SILENCE_S
from chatd.chat.limits import ChatLimit
from chatd.engineio.limits import Limit
from chatd.listen.limits import ListenLimit
from chatd.logs.lines import INFO_BURST, INFO_RATE, OPERATORS, WARNING_BURST, WARNING_RATE
from chatd.socketio.limits import SocketLimit
from tests.attack.api_floods import API_FLOODS, write_keys
from tests.attack.log_floods import FLOODS, TIMES, UNREACHABLE, Row
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import Person, cookie, join, token
from tests.conformance.wire import Connection, request_bytes
from tests.listen.certificates import make_certificate
from tests.ops.logging_calls import log_calls
from tests.ops.operator import Operator

SESSIONS: Final = INFO_BURST + 300
BATCH: Final = 50

OPENED: Final = "session open"
CLOSED: Final = "session closed"
EXPIRED: Final = "token expired"
EXPELLED: Final = "user expelled: too many messages, for too long"
NOT_RECOVERED: Final = "nothing recovered"

ALL_FLOODS: Final[Mapping[StrEnum, Row]] = {**FLOODS, **API_FLOODS}

DRIVEN: Final = {OPENED, CLOSED, EXPIRED, EXPELLED, NOT_RECOVERED}
"""The cases of tests below. All other lines about refusals are in FLOODS."""

NOT_OF_CLIENTS: Final[Mapping[str, str]] = {
    "kicked": "an operator",
    "webhook does not deliver": "a receiver",
    "webhook delivers again": "a receiver",
    "event set aside": "a receiver",
    "webhook switched off: its receiver has answered 410": "a receiver",
    "webhook is switched off": "the start",
    "webhook follows cases": "the start",
    "webhook follows cases no more": "the start",
    "webhook is switched on again": "an operator",
    "a webhook waits for the database": "the disk",
    "listening for other systems": "the start",
    "keys of the identity provider": "the identity provider",
    "the identity provider does not give its keys": "the identity provider",
    "the identity provider gives its keys again": "the identity provider",
    "the keys of the identity provider are too old to count": "the identity provider",
    "sessions ended by the API": "another system of the operator",
    "denied by the API": "another system of the operator",
    "the deny list cannot be written": "the disk",
    "a request of the API failed": "a bug",
    "answered": "other systems, where `api_log_answers` asks for a line",
    "token no longer holds": "an operator, who reloads the deny list: a line for each socket",
    "the wall clock was set": "the machine",
    "store open": "the start",
    "the reading connection did not close cleanly": "the stop",
    "the database did not close cleanly": "the stop",
    "when a user was seen is not stored": "the stop",
    "who is an admin cannot be read": "the disk",
    "names are not stored": "the disk",
    "addresses are not stored": "the disk",
    "cases do not follow the messages": "the disk",
    "claims cannot be looked at": "the disk",
    "old messages deleted": "retention, at most once in a sweep",
    "old messages could not be deleted": "the disk",
    "texts could not be put into the index": "the disk",
    "the index of texts could not be dropped": "an operator, who starts without search",
    "e-mail addresses could not be deleted": "an operator, who starts without mail to users",
    "old messages are not deleted: the clock is far ahead of what the database knows; see chatd clock": "the clock",
    "the clock is believed again": "the clock",
    "the database file was moved or replaced; nothing is stored": "an operator",
    "%s cannot be stored": "the disk",
    "%s are stored again": "the disk",
    "messages cannot be looked up": "the disk",
    "messages are looked up again": "the disk",
    "a replay was broken off": "the disk",
    "a connection to the database is lost": "PostgreSQL, or the network",
    "a start waits for the database": "the start",
    "connected to the database again": "PostgreSQL, or the network",
    "a connection did not close cleanly": "the stop",
    "%s up": "Redis, or the network",
    "node %s": "another node, or the network",
    "a frame could not be taken": "a bug",
    "a frame could not be read": "whoever else writes to the channel of Redis",
    "another process has the number of this node": "an operator",
    "%s down": "Redis, or the network",
    "disconnected by a Node.js node": "a Node.js node",
    "row rejected": "a bug: what the database cannot take is refused before",
    "what was missed could not be read": "a bug",
    "a callback of the store raised": "a bug",
    "a connection failed in its turn": "a bug",
    "a handler failed": "a bug",
    "a door failed": "a bug",
    "the data of a refusal is no JSON": "a bug",
    "task %s failed": "a bug",
    "a deadline failed": "a bug",
}
"""Lines that no client can cause alone, with their cause. They have the same limit, see tests/logs/test_lines.py."""


def test_every_log_line_has_a_flood_or_another_cause() -> None:
    """A new line or limit needs an entry in FLOODS, in the tests below or in NOT_OF_CLIENTS."""
    texts = {line.text for line in log_calls() if line.logger not in OPERATORS and line.file != "base/refusals.py"}
    assert texts == DRIVEN | set(NOT_OF_CLIENTS)
    limits: set[StrEnum] = {*Limit, *SocketLimit, *ChatLimit, *ListenLimit, *ApiLimit}
    assert limits == set(ALL_FLOODS) | set(UNREACHABLE)


@pytest.mark.parametrize("limit", ALL_FLOODS)
async def test_a_limit_reached_repeatedly_is_one_line_in_ten_seconds(db: Path, limit: StrEnum, tmp_path: Path) -> None:
    row = ALL_FLOODS[limit]
    files = {"certificate": _certificate(tmp_path), "keys": write_keys(tmp_path / "keys")}
    flags = [flag.format(**files) for flag in row.flags]
    async with daemon(db, *flags, before=row.before) as chatd:
        began = time.monotonic()
        await row.flood(chatd)
        took_s = time.monotonic() - began
        if not lines(chatd, "stopping"):  # a second signal would kill the daemon
            chatd.terminate()
        await chatd.client.aclose()
        assert await chatd.ended() == 0
    assert chatd.faults == []
    told = [line for line in chatd.log if line.get("limit") == limit]
    assert 1 <= len(told) <= 1 + took_s / SILENCE_S < TIMES
    assert told[0]["refused"] == 1


async def test_repeated_expulsions_are_a_burst_of_lines_and_one_with_a_count(db: Path) -> None:
    """L-06"""
    users = WARNING_BURST + 40
    async with logging_daemon(db, "--message-rate", "0.01", "--message-burst", "1") as chatd:
        for number in range(users):
            await expelled(await chatd.enter(f"u{number}"))
    told = lines(chatd, EXPELLED)
    assert WARNING_BURST < len(told) <= WARNING_BURST + 1 + chatd.took_s * WARNING_RATE
    assert counted(chatd, EXPELLED) == users
    assert told[-1]["user"] == f"u{users - 1}"


async def test_failed_recoveries_without_a_database_are_a_burst_of_lines(db: Path) -> None:
    """C-33"""
    times = WARNING_BURST + 40
    async with logging_daemon(db, "--recovery", "on") as chatd:
        with unreadable(db):
            for _ in range(times):
                (await join(chatd.client, cookie(token("ana")), {"desde": "0"})).vanish()
    assert len(lines(chatd, NOT_RECOVERED)) <= WARNING_BURST + 1 + chatd.took_s * WARNING_RATE
    assert counted(chatd, NOT_RECOVERED) == times


@pytest.mark.timeout(300)
async def test_ten_thousand_sessions_do_not_hide_lines_that_an_operator_needs(db: Path) -> None:
    """Each session joins with a token that soon expires, and is disconnected."""
    off = ("max-connections", "max-connections-per-address", "max-connections-per-user", "accept-rate")
    flags = [part for name in (*off, "accept-rate-per-address", "jwt-leeway") for part in (f"--{name}", "0")]
    burst = ("--message-rate", "0.01", "--message-burst", "1", "--turn-budget", "100000")
    async with logging_daemon(db, *flags, *burst, "--internal", "127.0.0.1:0") as chatd:
        connection = await chatd.client.connect()
        for _ in range(SESSIONS // BATCH):
            await storm(connection, chatd.client.target(EIO="4", transport="polling"))
        await expelled(await chatd.enter("mallory"))
        chatd.process.send_signal(signal.SIGHUP)
        while not lines(chatd, "reloaded"):  # noqa: ASYNC110  # a list rings no bell
            await asyncio.sleep(0.01)
        while (await Operator(chatd).metrics())("chatd_sessions", transport="polling"):  # noqa: ASYNC110  # nor a metric
            await asyncio.sleep(0.1)
    for text, times in ((OPENED, SESSIONS + 1), (CLOSED, SESSIONS + 1), (EXPIRED, SESSIONS)):
        assert INFO_BURST <= len(lines(chatd, text)) <= INFO_BURST + 1 + chatd.took_s * INFO_RATE
        assert counted(chatd, text) == times
    assert [line["user"] for line in lines(chatd, EXPELLED)] == ["mallory"]
    assert [len(lines(chatd, text)) for text in ("listening", "reloaded", "stopping", "stopped")] == [1] * 4
    assert chatd.faults == []


class LoggingDaemon(Daemon):
    """A daemon whose log is read while it runs. `took_s` is the time from its start to its end."""

    took_s = 0.0


@contextlib.asynccontextmanager
async def logging_daemon(db: Path, *flags: str) -> AsyncIterator[LoggingDaemon]:
    """Stop the daemon normally at the end of the block."""
    async with daemon(db, *flags) as running:
        chatd = LoggingDaemon(running.process)
        chatd.log, chatd.client = running.log, running.client
        began = time.monotonic()
        reading = asyncio.create_task(chatd.read_log())
        try:
            yield chatd
            chatd.terminate()
            await chatd.client.aclose()
            await reading
            assert await chatd.process.wait() == 0
            chatd.took_s = time.monotonic() - began
        finally:
            reading.cancel()


async def expelled(person: Person) -> None:
    """Eleven events where one is allowed, and then one more."""
    for _ in range(12):
        await person.emit("quien_soy")
    await person.last_words()
    person.websocket.close()


async def storm(connection: Connection, target: str) -> None:
    """BATCH sessions that join, with pipelined requests."""
    headers = cookie(token("ana", ttl_s=10.0))
    connection.write(request_bytes("GET", target, headers) * BATCH)
    opened = [(await connection.answer()).text for _ in range(BATCH)]
    sids = [text.partition('"sid":"')[2].partition('"')[0] for text in opened]
    connection.write(b"".join(request_bytes("POST", f"{target}&sid={sid}", body=b"40") for sid in sids))
    assert {(await connection.answer()).text for _ in range(BATCH)} == {"ok"}


@contextlib.contextmanager
def unreadable(db: Path) -> Iterator[None]:
    """Rename the table of messages during the block."""
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE mensajes RENAME TO elsewhere")
        yield
        connection.execute("ALTER TABLE elsewhere RENAME TO mensajes")


def _certificate(folder: Path) -> Path:
    cert, key = make_certificate(folder, "chatd")
    both = folder / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    both.chmod(0o600)
    return both


def lines(chatd: Daemon, text: str) -> list[dict[str, object]]:
    return [line for line in chatd.log if line["message"] == text]


def counted(chatd: Daemon, text: str) -> int:
    """The number of written lines plus the number that they report as left out."""
    return sum(1 + int(str(line.get("left_out", 0))) for line in lines(chatd, text))
