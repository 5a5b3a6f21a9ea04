from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from chatd.cli.newfile import FileExistsAlreadyError, new_file
from tests.chat.daemon import Daemon, daemon
from tests.cli.command import chatd, complaint
from tests.durability.senders import Book, Sender


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def texts(path: Path) -> set[str]:
    """All messages in a database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {text for (text,) in connection.execute("SELECT mensaje FROM mensajes")}


async def test_a_backup_under_load_has_every_message_that_was_acknowledged_before(db: Path, tmp_path: Path) -> None:
    """C-15: and a daemon starts on it."""
    book = Book()
    senders = [Sender(f"user-{number}", book) for number in range(4)]
    copies = [tmp_path / f"copy-{number}.db" for number in range(3)]
    async with daemon(db) as running:
        writing = [asyncio.create_task(sender.run(running.enter)) for sender in senders]
        for copy in copies:
            await book.more_acknowledged(200)
            known = set(book.acknowledged)
            done = await asyncio.to_thread(chatd, "backup", copy, "--db", db)
            assert (done.returncode, done.stderr) == (0, "")
            copied = texts(copy)
            assert known <= copied <= book.sent
            assert done.stdout == f"{copy}: {len(copied)} messages, {copy.stat().st_size} bytes\n"
        await book.more_acknowledged(200)  # nobody was held up for good
        assert set(book.refused) == set()
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        assert running.faults == []
    before = texts(copies[-1])
    async with daemon(copies[-1]) as restored:
        await written_after(restored)
    assert texts(copies[-1]) == before | {"after the restore"}


async def written_after(restored: Daemon) -> None:
    ana = await restored.enter("ana")
    assert (await ana.write("root", "after the restore"))["ok"]
    restored.terminate()
    assert await restored.ended() == 0


async def test_a_backup_is_one_file_for_its_owner_and_leaves_nothing_else_behind(db: Path, tmp_path: Path) -> None:
    async with daemon(db) as running:
        await written_after(running)
    files = listing(tmp_path)
    copy = tmp_path / "copy.db"
    assert chatd("backup", copy, "--db", db).returncode == 0
    assert listing(tmp_path) == {*files, copy.name}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert texts(copy) == {"after the restore"}
    assert listing(tmp_path) == {*files, copy.name}


def test_nothing_is_overwritten(db: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    db.touch()
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE mensajes (id INTEGER PRIMARY KEY)")
        connection.execute("PRAGMA user_version = 1")
    assert "nothing is overwritten" in complaint(chatd("backup", taken, "--db", db), EXIT_FAILED)
    assert taken.read_text() == "mine"
    assert chatd("backup", tmp_path / "free", "--db", db).returncode == 0


@pytest.mark.parametrize("content", [None, b"", b"text" * 2000])
def test_what_is_no_database_of_ours_is_refused(db: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        db.write_bytes(content)
    code = EXIT_CONFIG if not content else EXIT_FAILED
    assert str(db) in complaint(chatd("backup", tmp_path / "copy", "--db", db), code)
    assert not (tmp_path / "copy").exists()


def test_a_folder_that_is_not_there_is_told(db: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert "no such file" in complaint(chatd("backup", tmp_path / "none" / "copy", "--db", db), EXIT_FAILED)


def test_a_draft_that_fails_leaves_nothing_and_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(FileNotFoundError), new_file(path) as draft:
        draft.rename(tmp_path / "y").unlink()
    with pytest.raises(IsADirectoryError), new_file(path):
        tmp_path.read_text()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileExistsAlreadyError), new_file(path) as draft:
        path.write_text("theirs")
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    assert path.read_text() == "theirs"
