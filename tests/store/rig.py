"""Real stores on real files, and what their tests look at."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from chatd.store.base import Message, MessageId, StoreCode, StoreError
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


def message(number: int, mensaje: str = "hola", *, de: str = "ana", para: str = "berta") -> Message:
    fecha = 1_700_000_000_000 + number % 1_000
    return Message(MessageId(number), de, para, mensaje, fecha, supervisado=number % 2 == 1)


class Answers:
    """Every call of `done`, in the order in which they came."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, StoreError | None]] = []

    def put(self, store: SqliteStore, row: Message) -> None:
        store.put(row, lambda error: self.seen.append((row.id, error)))

    @property
    def stored(self) -> list[int]:
        return [number for number, error in self.seen if error is None]

    @property
    def failed(self) -> dict[int, StoreCode]:
        return {number: error.code for number, error in self.seen if error is not None}


@contextlib.asynccontextmanager
async def opened(
    db: Path, *, busy_timeout_s: float = 5.0, max_waiting_rows: int = 50_000, min_free_bytes: int = 1
) -> AsyncIterator[SqliteStore]:
    config = StoreConfig(
        db=str(db), busy_timeout_s=busy_timeout_s, max_waiting_rows=max_waiting_rows, min_free_bytes=min_free_bytes
    )
    store = SqliteStore(config)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def rows(db: Path) -> list[Message]:
    """What is in the file, in the order of ids."""
    with contextlib.closing(sqlite3.connect(db)) as connection:
        found = connection.execute("SELECT id, de, para, mensaje, fecha, supervisado FROM mensajes ORDER BY id")
        return [
            Message(number, de, para, mensaje, fecha, bool(supervisado))
            for number, de, para, mensaje, fecha, supervisado in found
        ]


@contextlib.contextmanager
def locked(db: Path) -> Iterator[None]:
    """Another program is in the middle of a write."""
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def spawn(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """A second process, with pipes on both sides; its errors go to those of the test."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def output(module: str, *arguments: str) -> list[str]:
    """The lines that a second process prints until it ends, which must be with success."""
    process = await spawn(module, *arguments)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().splitlines()
