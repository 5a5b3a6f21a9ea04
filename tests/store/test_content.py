"""Detecting an overwritten database by its header, which is compared only when the file has changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatd.store.content import Content
from tests.store.rig import message, opened


def is_foreign(content: Content, db: Path) -> bool:
    return content.is_foreign(db.stat())


async def looked_at(db: Path) -> Content:
    """A `Content` of the database, which has a log, in its current state."""
    async with opened(db) as store:
        for number in range(100):
            store.put(message(number, "x" * 3_000), lambda _: None)
        await store.flushed()
    content = Content(db)
    content.open()
    assert is_foreign(content, db) is False
    return content


def write(db: Path, at: int, what: bytes) -> None:
    """Write bytes into the file, without SQLite."""
    with db.open("r+b") as file:
        file.seek(at)
        file.write(what)


@pytest.mark.parametrize(
    ("at", "what"),
    [(0, b"something else"), (18, b"\1\1"), (24, bytes(4)), (28, bytes(4))],
    ids=["no database", "one without a log", "fewer changes", "fewer pages"],
)
async def test_an_older_or_another_file_is_foreign(tmp_path: Path, at: int, what: bytes) -> None:
    """C-66"""
    db = tmp_path / "chatd.db"
    content = await looked_at(db)
    write(db, at, what)
    assert is_foreign(content, db) is True
    assert is_foreign(content, db) is True, "until it is closed"
    content.close()


async def test_changes_by_sqlite_are_not_foreign(tmp_path: Path) -> None:
    """C-66"""
    db = tmp_path / "chatd.db"
    content = await looked_at(db)
    for statement in ("DELETE FROM mensajes WHERE id % 2", "VACUUM", "DELETE FROM mensajes", "VACUUM"):
        with closing(sqlite3.connect(db, isolation_level=None)) as connection:
            connection.execute(statement)
        assert is_foreign(content, db) is False
    content.close()
