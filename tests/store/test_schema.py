"""Migrations: from every version to the newest, all steps or none."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from chatd.base.errors import ConfigError
from chatd.store import schema

STEPS = (
    ("CREATE TABLE one (id INTEGER PRIMARY KEY)", "INSERT INTO one VALUES (1)"),
    ("ALTER TABLE one ADD COLUMN cid TEXT",),
    ("CREATE TABLE two (id INTEGER PRIMARY KEY)", "INSERT INTO two SELECT id FROM one"),
)


@contextlib.asynccontextmanager
async def connected(db: Path) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(db, timeout=0.01, isolation_level=None) as connection:
        yield connection


def ask(db: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return list(connection.execute(sql))


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
async def test_a_file_of_any_version_becomes_the_newest(tmp_path: Path, version: int) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection, STEPS[:version])
        assert ask(db, "PRAGMA user_version") == [(version,)]
        await schema.migrate(connection, STEPS)
    assert ask(db, "PRAGMA user_version") == [(len(STEPS),)]
    assert ask(db, "SELECT two.id, cid FROM one JOIN two ON one.id = two.id") == [(1, None)]


async def test_a_step_that_fails_rolls_back_all(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection, STEPS[:1])
        with pytest.raises(sqlite3.OperationalError):
            await schema.migrate(connection, (*STEPS, ("CREATE TABLE three (id)", "no SQL at all")))
        assert not connection.in_transaction
    assert ask(db, "PRAGMA user_version") == [(1,)]
    assert ask(db, "SELECT name FROM sqlite_master") == [("one",)]
    assert ask(db, "SELECT * FROM one") == [(1,)]


async def test_a_file_of_a_newer_chatd_is_left_alone(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection, STEPS)
        with pytest.raises(ConfigError, match="schema 3, this one knows 2"):
            await schema.migrate(connection, STEPS[:2])
    assert ask(db, "PRAGMA user_version") == [(3,)]


async def test_a_file_with_tables_of_another_program_is_left_alone(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    ask(db, "CREATE TABLE mensajes (id)")
    async with connected(db) as connection:
        with pytest.raises(ConfigError, match="another program"):
            await schema.migrate(connection)
    assert ask(db, "PRAGMA user_version") == [(0,)]


async def test_a_file_of_the_newest_version_is_not_written(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection)
        before = db.read_bytes()
        await schema.migrate(connection)
        assert not connection.in_transaction
    assert db.read_bytes() == before


async def test_the_table_takes_whole_rows_of_the_right_types_only(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection)
        insert = "INSERT INTO mensajes VALUES (?, ?, ?, ?, ?, ?, NULL)"
        await connection.execute_fetchall(insert, (1, "a", "b", "c", 2, 0))
        for row in (
            (1, "a", "b", "c", 2, 0),
            (2, None, "b", "c", 2, 0),
            (2, "a", b"b", "c", 2, 0),
            (2, "a", "b", "c", "now", 0),
            (2, "a", "b", "c", 2, None),
        ):
            with pytest.raises(sqlite3.IntegrityError):
                await connection.execute_fetchall(insert, row)
    assert ask(db, "SELECT * FROM mensajes") == [(1, "a", "b", "c", 2, 0, None)]


async def test_a_file_from_before_cids_keeps_its_rows(tmp_path: Path) -> None:
    db = tmp_path / "chatd.db"
    async with connected(db) as connection:
        await schema.migrate(connection, schema.MIGRATIONS[:1])
        insert = "INSERT INTO mensajes VALUES (?, 'a', 'b', 'c', 2, 0)"
        for number in (1, 2):
            await connection.execute_fetchall(insert, (number,))
        await schema.migrate(connection)
    assert ask(db, "SELECT * FROM mensajes") == [(1, "a", "b", "c", 2, 0, None), (2, "a", "b", "c", 2, 0, None)]
