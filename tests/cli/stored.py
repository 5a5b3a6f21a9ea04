"""A database with messages, as a daemon leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable
from typing import Any

from chatd.chat.messages.ids import first_id_of
from chatd.store.base import Message, MessageId, StoreError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from tests.store.rig import Base, PostgresBase, ask, change

DAY_MS = 86_400_000

# 2026-01-01T00:00:00Z
START_MS = 1_767_225_600_000


def message(number: int, **changes: object) -> Message:
    """The message of day `number`; day 0 is START_MS."""
    fecha = START_MS + number * DAY_MS
    fields = {
        "id": MessageId(first_id_of(fecha) + 1),
        "de": "ana",
        "para": "root",
        "mensaje": f"día {number}",
        "fecha": fecha,
        "supervisado": True,
        "cid": f"c{number}" if number % 2 else None,
    }
    return Message(**{**fields, **changes})  # type: ignore[arg-type]


def store(db: Base, messages: Iterable[Message]) -> None:
    """Store messages in the database, which is created if it does not exist."""

    async def put() -> None:
        opened = make_store(StoreConfig(db=str(db)))
        await opened.open()
        failed: list[StoreError | None] = []
        for one in messages:
            opened.put(one, failed.append)
        await opened.flushed()
        await opened.close()
        assert not any(failed)

    asyncio.run(put())


def rows(db: Base) -> list[tuple[Any, ...]]:
    """All messages, by id."""
    return ask(db, "SELECT id, de, para, mensaje, fecha, supervisado, cid FROM mensajes ORDER BY id")


LIST = """
    CREATE TABLE IF NOT EXISTS conversaciones (
        lector TEXT NOT NULL, con TEXT NOT NULL, ultimo INTEGER NOT NULL, PRIMARY KEY (lector, con)
    ) STRICT, WITHOUT ROWID
"""


def list_conversations(db: Base, last_of: dict[str, int]) -> None:
    """Write the list of conversations as a daemon does."""
    if isinstance(db, PostgresBase):
        entries = ", ".join(f"('', '{con}', {last})" for con, last in last_of.items())
        change(db, f"DELETE FROM conversaciones; INSERT INTO conversaciones VALUES {entries}")
        return
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute(LIST)
        connection.execute("DELETE FROM conversaciones")
        connection.executemany("INSERT INTO conversaciones VALUES ('', ?, ?)", last_of.items())
        connection.commit()


def conversations(db: Base) -> list[str]:
    """The names on the list."""
    return [con for (con,) in ask(db, "SELECT con FROM conversaciones ORDER BY con")]
