"""Real stores on real databases, and helpers to read them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from chatd.store.base import Message, MessageId, Store, StoreCode, StoreError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from chatd.store.postgres.texts import decode
from chatd.store.sqlite import SqliteStore
from tests.postgresql import Server

ROOT = Path(__file__).parents[2]


def message(number: int, mensaje: str = "hola", *, de: str = "ana", para: str = "berta") -> Message:
    fecha = 1_700_000_000_000 + number % 1_000
    return Message(MessageId(number), de, para, mensaje, fecha, supervisado=number % 2 == 1)


class Answers:
    """Records every call of `done`, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, StoreError | None]] = []

    def put(self, store: Store, row: Message) -> None:
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
    """An open SQLite store."""
    config = StoreConfig(
        db=str(db), busy_timeout_s=busy_timeout_s, max_waiting_rows=max_waiting_rows, min_free_bytes=min_free_bytes
    )
    store = SqliteStore(config)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class PostgresBase:
    """A database of the tests' PostgreSQL server; as a text, its URL."""

    def __init__(self, server: Server, name: str | None = None) -> None:
        self.server = server
        self.name = server.clean_base() if name is None else name

    def __str__(self) -> str:
        return self.server.url(self.name)

    def other(self) -> PostgresBase:
        return PostgresBase(self.server, self.server.new_base())


Base = Path | PostgresBase
"""A database: a path or a URL, as for `--db`."""


@contextlib.asynccontextmanager
async def store_on(base: Base, **settings: Any) -> AsyncIterator[Store]:
    """An open store on a database of either kind."""
    store = make_store(StoreConfig(**{"db": str(base), "busy_timeout_s": 5.0, "min_free_bytes": 1, **settings}))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def ask(base: Base, sql: str) -> list[tuple[Any, ...]]:
    """The result of a query on a separate connection."""
    if isinstance(base, Path):
        with contextlib.closing(sqlite3.connect(base)) as connection:
            found = list(connection.execute(sql))
            connection.commit()
            return found
    [answer] = base.server.sql(
        f"SET search_path = chatd; SELECT coalesce(json_agg(to_json(found)), '[]') FROM ({sql}) AS found", base.name
    )
    return [
        tuple(decode(value) if isinstance(value, str) else value for value in row.values())
        for row in json.loads(answer)
    ]


def change(base: Base, sql: str) -> None:
    """Write on a separate connection."""
    if isinstance(base, Path):
        ask(base, sql)
    else:
        base.server.sql(f"SET search_path = chatd; {sql}", base.name)


def rows(db: Base) -> list[Message]:
    """The rows of the database, ordered by id."""
    if isinstance(db, PostgresBase):
        sql = "SELECT id, de, para, mensaje, fecha, supervisado FROM mensajes ORDER BY id"
        return [
            Message(number, de, para, mensaje, fecha, bool(supervisado))
            for number, de, para, mensaje, fecha, supervisado in ask(db, sql)
        ]
    with contextlib.closing(sqlite3.connect(db)) as connection:
        found = connection.execute("SELECT id, de, para, mensaje, fecha, supervisado FROM mensajes ORDER BY id")
        return [
            Message(number, de, para, mensaje, fecha, bool(supervisado))
            for number, de, para, mensaje, fecha, supervisado in found
        ]


@contextlib.contextmanager
def locked(db: Base) -> Iterator[None]:
    """Hold the write lock on a separate connection."""
    if isinstance(db, PostgresBase):
        tables = ", ".join(f"chatd.{name}" for name in ("mensajes", "leidos", "vistos", "conversaciones", "reloj"))
        with db.server.uncommitted(f"LOCK TABLE {tables} IN EXCLUSIVE MODE", db.name):
            yield
        return
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def spawn(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """A child process with pipes for stdin and stdout; it inherits stderr."""
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
    """The lines that a child process prints; it must exit with 0."""
    process = await spawn(module, *arguments)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().splitlines()
