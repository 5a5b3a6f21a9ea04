"""A WAL file beside a database to which it does not belong: every verb refuses, and changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.cli import EXIT_CONFIG
from chatd.store.beside import check_log
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.store.rig import rows

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def killed(db: Path) -> Path:
    """The database of a killed daemon, with two messages, and a backup that has the first."""
    async with daemon(db) as running:
        ana = await running.enter("ana")
        await ana.write("root", "first")
        assert chatd("backup", db.with_name("backup.db"), "--db", db).returncode == 0
        await ana.write("root", "second")
        running.process.kill()
    return db


def content(db: Path) -> bytes:
    return db.read_bytes()


def move(path: Path, to: Path) -> None:
    path.rename(to)


def make_empty(db: Path) -> None:
    """A new empty file."""
    db.touch(exist_ok=False)


def replace(db: Path) -> None:
    db.with_name("backup.db").rename(db)


def remove_log(db: Path) -> None:
    for end in ("-wal", "-shm"):
        db.with_name(db.name + end).unlink()


def overwrite(db: Path) -> None:
    shutil.copyfile(db.with_name("backup.db"), db)


@pytest.mark.parametrize("restore", [replace, overwrite])
async def test_a_restored_backup_is_not_changed_by_the_log_of_a_killed_daemon(
    killed: Path, restore: Callable[[Path], None]
) -> None:
    """C-66"""
    restore(killed)
    before = content(killed)
    for _ in range(2):  # the refusal releases the lock
        with pytest.raises(ConfigError, match=r"remove chatd\.db-wal and chatd\.db-shm"):
            await SqliteStore(StoreConfig(db=str(killed))).open()
    for verb in (["export"], ["history", "ana"], ["backup", killed.with_name("other.db")], ["prune", "--before", "1d"]):
        assert "would undo it" in complaint(chatd(*verb, "--db", killed), EXIT_CONFIG)
    told = chatd("check", "--db", killed, CHATD_JWT_SECRET=SECRET)
    assert (told.returncode, "would undo it" in told.stdout) == (EXIT_CONFIG, True)
    assert content(killed) == before
    remove_log(killed)
    async with daemon(killed):
        assert [row.mensaje for row in rows(killed)] == ["first"]


async def test_a_log_without_its_database_is_not_dropped(killed: Path) -> None:
    """C-66: SQLite would remove it, and acknowledged messages with it"""
    away = killed.with_name("away.db")
    move(killed, away)
    with pytest.raises(ConfigError, match="put the database back"):
        await SqliteStore(StoreConfig(db=str(killed))).open()
    make_empty(killed)
    assert "put the database back" in complaint(chatd("export", "--db", killed), EXIT_CONFIG)
    move(away, killed)
    async with daemon(killed):
        assert [row.mensaje for row in rows(killed)] == ["first", "second"]


async def test_the_log_of_a_killed_daemon_is_recognised_and_replayed(killed: Path) -> None:
    """C-66"""
    check_log(killed)
    assert chatd("export", "--db", killed).stdout.count("\n") == 2


def test_a_database_without_a_log_or_with_an_empty_one_opens(tmp_path: Path) -> None:
    """C-66"""
    db = tmp_path / "chatd.db"
    check_log(db)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE one (id)")
    check_log(db)
    db.with_name("chatd.db-wal").touch()
    check_log(db)
