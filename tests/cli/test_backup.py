from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from chatd.cli.newfile import FileExistsAlreadyError, new_file
from tests.chat.daemon import ROOT, Daemon, daemon
from tests.cli.command import chatd, complaint, environment
from tests.cli.stored import message, store
from tests.durability.senders import Book, Sender


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def texts(path: Path) -> set[str]:
    """The texts of all messages in a database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {text for (text,) in connection.execute("SELECT mensaje FROM mensajes")}


async def test_a_backup_under_load_has_every_message_acknowledged_before(db: Path, tmp_path: Path) -> None:
    """C-15: and a daemon can start on the backup."""
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
        await book.more_acknowledged(200)  # senders are not blocked for good
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


async def test_a_backup_is_one_private_file_without_other_files(db: Path, tmp_path: Path) -> None:
    async with daemon(db) as running:
        await written_after(running)
    files = listing(tmp_path)
    copy = tmp_path / "copy.db"
    assert chatd("backup", copy, "--db", db).returncode == 0
    assert listing(tmp_path) == {*files, copy.name}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert texts(copy) == {"after the restore"}
    assert listing(tmp_path) == {*files, copy.name}


def test_a_backup_overwrites_no_file(db: Path, tmp_path: Path) -> None:
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
def test_a_file_that_is_no_chatd_database_is_refused(db: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        db.write_bytes(content)
    code = EXIT_CONFIG if not content else EXIT_FAILED
    assert str(db) in complaint(chatd("backup", tmp_path / "copy", "--db", db), code)
    assert not (tmp_path / "copy").exists()


def test_a_missing_folder_is_named(db: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert "no such file" in complaint(chatd("backup", tmp_path / "none" / "copy", "--db", db), EXIT_FAILED)


def test_an_error_names_the_requested_file(db: Path, tmp_path: Path) -> None:
    store(db, [message(1)])
    copy = tmp_path / "none" / "copy"
    for verb in ("backup", "export"):
        said = complaint(chatd(verb, copy, "--db", db), EXIT_FAILED)
        assert said == f"chatd: {copy}: no such file or directory"


def limited(command: str, copy: Path, db: Path) -> subprocess.CompletedProcess[str]:
    """The shell's `command` prepares limits and then runs `$0 -m chatd`."""
    return subprocess.run(
        ["sh", "-c", command, sys.executable, copy, db],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("backup", "cannot write {}: disk I/O error: check the file, its directory and the disk"),
        ("export", "{}: file too large"),
    ],
)
def test_a_write_error_names_the_target_and_not_the_source(verb: str, said: str, db: Path, tmp_path: Path) -> None:
    store(db, [message(number, mensaje="x" * 5000) for number in range(200)])
    before, copy = listing(tmp_path), tmp_path / "copy"
    done = limited(f'ulimit -f 300; "$0" -m chatd {verb} "$1" --db "$2"', copy, db)
    assert complaint(done, EXIT_FAILED) == f"chatd: {said.format(copy)}"
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("verb", "said"),
    [("backup", "cannot write {}: the disk is full: make room"), ("export", "{}: no space left on device")],
)
def test_a_full_disk_is_an_error_of_the_target_and_leaves_no_file(
    verb: str, said: str, db: Path, tmp_path: Path
) -> None:
    """A file system of a few pages, mounted in a mount namespace of the process."""
    unshare = shutil.which("unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        unshare is None
        or subprocess.run([unshare, "-rm", "mount", "-t", "tmpfs", "none", disk], check=False).returncode
    ):
        pytest.skip("needs user namespaces (unshare -rm); the test above does without")
    store(db, [message(number, mensaje="x" * 5000) for number in range(200)])
    mounted = f'mount -t tmpfs -o size=400k none "{disk}"'
    verb_alone = f'"$0" -m chatd {verb} "$1" --db "$2" || code=$?; ls -A "{disk}"; exit $code'
    done = limited(f'exec {unshare} -rm sh -c \'{mounted}; {verb_alone}\' "$0" "$1" "$2"', disk / "copy", db)
    assert complaint(done, EXIT_FAILED) == f"chatd: {said.format(disk / 'copy')}"


HALF_DONE = """
import signal, sys
from pathlib import Path
from chatd.cli.newfile import new_file
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
with new_file(Path(sys.argv[1])) as draft:
    draft.write_text("private")
    print("half done", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_copy_without_leaving_a_file(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_DONE, tmp_path / "x"],
        stdin=subprocess.PIPE,  # closing it wakes a process that got the signal just before its read
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half done\n"
        assert len(listing(tmp_path)) == 1
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (128 + number, "")
    assert listing(tmp_path) == set()


def test_the_files_of_sqlite_are_deleted_with_a_draft(tmp_path: Path) -> None:
    with new_file(tmp_path / "x") as draft:
        for end in ("-journal", "-wal", "-shm"):
            draft.with_name(draft.name + end).touch()
    assert listing(tmp_path) == {"x"}


def test_a_failed_draft_is_deleted_and_a_file_created_meanwhile_is_kept(tmp_path: Path) -> None:
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
