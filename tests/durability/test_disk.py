"""The disk fails under load: every sender is told whether to retry, and the daemon recovers by itself.

In each test senders write without a pause and resend refused messages. In the end every message is
stored, including those that were acknowledged during the failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chatd.store.base import Message
from tests.chat.daemon import ROOT, Daemon, daemon
from tests.chat.people import SECRET, Chat, chatting
from tests.conformance.wire import Client
from tests.durability.senders import Book, Enter, Sender
from tests.store.rig import locked, rows

SENDERS = 6
ENOUGH = 50
"""Acknowledgements before and after the failure, and refusals during it."""


@contextlib.asynccontextmanager
async def writing(enter: Enter, book: Book) -> AsyncIterator[None]:
    """Run senders; at the end wait until every message is acknowledged."""
    senders = [Sender(f"user-{number}", book) for number in range(SENDERS)]
    running = [asyncio.create_task(sender.run(enter)) for sender in senders]
    await book.more_acknowledged(ENOUGH)
    yield
    await book.more_acknowledged(ENOUGH)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.gather(*(sender.settle(enter) for sender in senders))


async def refusals(book: Book, code: str) -> None:
    """Wait until senders get refusals."""
    goal = book.refused[code] + ENOUGH
    await book.until(lambda: book.refused[code] >= goal)


def check(found: list[Message], book: Book, code: str) -> None:
    """Every message is stored once, under the acknowledged id, and every refusal had `code`."""
    assert book.refused.keys() == {code}
    assert Counter(row.mensaje for row in found) == Counter(book.sent)
    assert {row.mensaje: row.id for row in found} == book.acknowledged


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))


@contextlib.contextmanager
def smallest_files(pid: int) -> Iterator[None]:
    """Set RLIMIT_FSIZE so that the process cannot extend any file."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.asynccontextmanager
async def in_trouble(db: Path, code: str, *flags: str) -> AsyncIterator[tuple[Daemon, Book]]:
    """A daemon under load: at the end it still runs, and `check` holds."""
    book = Book()
    async with daemon(db, *flags) as chatd:
        async with writing(chatd.enter, book):
            yield chatd, book
        assert chatd.process.returncode is None
    check(rows(db), book, code)


@contextlib.asynccontextmanager
async def in_trouble_here(db: Path, code: str) -> AsyncIterator[tuple[Chat, Book]]:
    """The same with a chat in this process, so that the test can reach its database connection."""
    book = Book()
    async with chatting(db) as chat, writing(chat.enter, book):
        yield chat, book
    check(rows(db), book, code)


async def test_a_database_that_another_program_locks(db: Path) -> None:
    """C-17: for longer than busy_timeout"""
    async with in_trouble(db, "store_unavailable", "--busy-timeout", "0.05") as (_, book):
        with locked(db):
            await refusals(book, "store_unavailable")


async def test_a_database_that_another_program_locks_for_seconds(db: Path) -> None:
    """C-17: with the default settings"""
    async with in_trouble(db, "store_unavailable") as (_, book):
        with locked(db):
            await book.until(lambda: book.refused["store_unavailable"] >= SENDERS)


async def test_writes_that_the_kernel_refuses(db: Path) -> None:
    """C-17: like a quota"""
    async with in_trouble(db, "store_unavailable") as (chatd, book):
        with smallest_files(chatd.process.pid):
            await refusals(book, "store_unavailable")


async def test_a_database_that_is_read_only_for_a_while(db: Path) -> None:
    """C-17: by `PRAGMA query_only` on the daemon's own connection"""
    async with in_trouble_here(db, "store_unavailable") as (chat, book):
        await chat.sqlite("PRAGMA query_only = 1")
        await refusals(book, "store_unavailable")
        await chat.sqlite("PRAGMA query_only = 0")


async def test_a_database_that_may_not_grow_for_a_while(db: Path) -> None:
    """C-17: by SQLite's own page limit, which fails like a full disk on every machine"""
    async with in_trouble_here(db, "store_full") as (chat, book):
        await chat.sqlite("PRAGMA max_page_count = 1")
        await refusals(book, "store_full")
        await chat.sqlite("PRAGMA max_page_count = 1000000")


@contextlib.asynccontextmanager
async def daemon_on_small_disk(folder: Path, size: str, *flags: str) -> AsyncIterator[tuple[Daemon, Path]]:
    """A daemon with its database on a disk of that size, and a path by which the test reaches the disk."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-rm", sys.executable, "-m", "tests.durability.on_small_disk", str(folder), size),
        *("--port", "0", "--log-format", "json", "--message-rate", "0", *flags, "--db", str(folder / "chatd.db")),
        cwd=ROOT,
        env={**os.environ, "CHATD_JWT_SECRET": SECRET},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Daemon(process)
    try:
        listening = await running.logged("listening")
        async with Client(listening["host"], listening["port"], listening["path"]) as client:
            running.client = client
            yield running, Path(f"/proc/{process.pid}/root{folder}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_disk_that_is_full_for_a_while(tmp_path: Path) -> None:
    """C-17: a file system in a mount namespace of its own"""
    if shutil.which("unshare") is None or not await _mounts():
        pytest.skip("needs user namespaces (unshare -rm); the answers to a full disk are tested above on any machine")
    book = Book()
    async with daemon_on_small_disk(tmp_path, "12m", "--min-free", "0") as (chatd, disk):
        async with writing(chatd.enter, book):
            fill(disk / "filler")
            await refusals(book, "store_full")
            (disk / "filler").unlink()
        # SQLite would follow /proc/PID/root like an ordinary link. No process writes now, so read a copy.
        for name in ("chatd.db", "chatd.db-wal"):
            shutil.copy(disk / name, tmp_path)
        check(rows(tmp_path / "chatd.db"), book, "store_full")
        chatd.terminate()
        assert await chatd.ended() == 0
        assert {line["message"] for line in chatd.faults} - {"seen marks cannot be stored"} == {
            "messages cannot be stored"
        }


async def test_below_the_floor_of_free_space_only_messages_are_refused(tmp_path: Path) -> None:
    """L-14: another program fills the disk up to the floor, and not to the last byte"""
    if shutil.which("unshare") is None or not await _mounts():
        pytest.skip("needs user namespaces (unshare -rm); the floor is tested in tests/store on any machine")
    floor = ("--min-free", str(32 * 1_048_576))
    async with daemon_on_small_disk(tmp_path, "48m", *floor) as (chatd, disk):
        ana = await chatd.enter("ana")
        first = await ana.write("root", "before")
        assert first["ok"]
        (disk / "filler").write_bytes(bytes(20 * 1_048_576))
        while (answer := await ana.write("root", "meanwhile"))["ok"]:  # for a second at most
            pass
        assert answer["error"]["code"] == "store_full"
        assert (await ana.ask("leido", {"con": "root", "hasta": first["id"]})) == {"ok": True}
        assert (await ana.ask("historial", {}))["ok"]
        assert (await (await chatd.enter("eva")).ask("quien_soy"))["user"] == "eva"
        (disk / "filler").unlink()
        while not (answer := await ana.write("root", "after"))["ok"]:
            assert answer["error"]["code"] == "store_full"
        chatd.terminate()
        assert await chatd.ended() == 0
        about = [line for line in chatd.log if "stored" in line["message"]]
        assert [line["message"] for line in about] == ["messages cannot be stored", "messages are stored again"]
        assert about[0]["code"] == "store_full"
        assert "min_free is 32 MiB" in about[0]["cause"]


async def _mounts() -> bool:
    process = await asyncio.create_subprocess_exec("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt")
    return await process.wait() == 0
