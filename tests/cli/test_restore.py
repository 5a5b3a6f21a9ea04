"""`chatd restore`: replaces the database by a backup, with the owner and mode that the daemon needs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from tests.chat.daemon import Daemon, daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, store

# An unprivileged user, if the test may change owners.
OWNER = 65_534 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database in its own folder."""
    folder = tmp_path / "state"
    folder.mkdir()
    return folder / "chatd.db"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup with two messages."""
    store(tmp_path / "other.db", [message(0), message(1)])
    assert chatd("backup", tmp_path / "monday.db", "--db", tmp_path / "other.db").returncode == 0
    return tmp_path / "monday.db"


def messages(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM mensajes").fetchone()
        return int(count)


def who_may(path: Path) -> tuple[int, int]:
    """Owner and mode of a file."""
    found = path.stat()
    return found.st_uid, stat.S_IMODE(found.st_mode)


def give_away(path: Path, mode: int) -> None:
    os.chown(path, OWNER, -1)
    path.chmod(mode)


async def killed(db: Path) -> Daemon:
    """A daemon that stored one message and was killed: its write-ahead log remains."""
    async with daemon(db) as running:
        assert (await (await running.enter("ana")).write("root", "the last"))["ok"]
        running.process.kill()
        await running.process.wait()
    return running


async def test_a_restore_replaces_the_database_and_keeps_the_old_one(db: Path, backup: Path) -> None:
    await killed(db)
    give_away(db, 0o640)
    done = chatd("restore", backup, "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert who_may(db) == (OWNER, 0o640)
    assert who_may(db.with_name("chatd.db.lock"))[0] == OWNER
    [kept] = (path for path in db.parent.glob("chatd.db.before-*") if not path.name.endswith(("-wal", "-shm")))
    assert done.stdout == f"{db}: 2 messages; what was there is {kept}\n"
    assert messages(kept) == 1
    assert not db.with_name("chatd.db-wal").exists()
    async with daemon(db) as running:
        assert (await (await running.enter("ana")).write("root", "goes on"))["ok"]
    assert (messages(db), messages(backup)) == (3, 2)


def test_without_an_old_database_the_owner_is_that_of_the_folder(db: Path, backup: Path) -> None:
    os.chown(db.parent, OWNER, -1)
    assert chatd("restore", backup, "--db", db).stdout == f"{db}: 2 messages\n"
    assert who_may(db) == (OWNER, 0o600)


async def test_a_restore_is_refused_while_a_daemon_runs(db: Path, backup: Path) -> None:
    async with daemon(db) as running:
        done = await asyncio.to_thread(chatd, "restore", backup, "--db", db)
        assert f"in use by another chatd (process {running.process.pid})" in complaint(done, EXIT_CONFIG)
        assert (await (await running.enter("ana")).write("root", "hola"))["ok"]
    assert list(db.parent.glob("*before*")) == []


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", EXIT_CONFIG, "is no database of this chatd"),
        (b"no database at all" * 100, EXIT_FAILED, "file is not a database"),
        (None, EXIT_CONFIG, "there is no file"),
    ],
)
def test_an_invalid_backup_changes_nothing(
    db: Path, tmp_path: Path, content: bytes | None, code: int, said: str
) -> None:
    store(db, [message(0)])
    before = db.read_bytes()
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    assert said in complaint(chatd("restore", tmp_path / "file", "--db", db), code)
    assert db.read_bytes() == before


def test_a_damaged_backup_is_refused(db: Path, backup: Path) -> None:
    pages = bytearray(backup.read_bytes())
    pages[4096:8192] = bytes(4096)
    backup.write_bytes(pages)
    line = complaint(chatd("restore", backup, "--db", db), EXIT_FAILED)
    assert "is damaged" in line or "malformed" in line
    assert not db.exists()


async def test_a_database_in_use_is_no_backup(db: Path, tmp_path: Path) -> None:
    """Without its write-ahead log it would lack messages."""
    await killed(db)
    line = complaint(chatd("restore", db, "--db", tmp_path / "new.db"), EXIT_CONFIG)
    assert "copy it with chatd backup" in line
