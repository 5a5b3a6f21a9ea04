"""The database file of an open store is removed, replaced or moved: all acknowledged messages must be in the file that
the next start opens."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chatd.store.base import Found, Question, StoreCode, StoreError
from tests.store.rig import Answers, message, opened, rows


def beside(db: Path, end: str) -> Path:
    return db.with_name(db.name + end)


def backup(db: Path, number: int) -> Path:
    """Another database of chatd with one message, without a WAL file."""
    copy = db.with_name("backup.db")
    with closing(sqlite3.connect(db)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DELETE FROM mensajes")
        target.execute("INSERT INTO mensajes VALUES (?, 'ana', 'berta', 'hola', 0, 1, NULL)", (number,))
        target.commit()
    return copy


def single_file(db: Path, number: int) -> Path:
    """The same, as `chatd backup` makes it: not in WAL mode."""
    copy = backup(db, number)
    with closing(sqlite3.connect(copy, isolation_level=None)) as opened_copy:
        opened_copy.execute("PRAGMA journal_mode = DELETE")
    return copy


def remove(db: Path) -> None:
    db.unlink()


def replace(db: Path) -> None:
    backup(db, 99).rename(db)


def remove_log(db: Path) -> None:
    beside(db, "-wal").unlink()


def replace_log(db: Path) -> None:
    beside(db, ".new").touch()
    beside(db, ".new").rename(beside(db, "-wal"))


def remove_shared_memory(db: Path) -> None:
    beside(db, "-shm").unlink()


def overwrite(db: Path) -> None:
    shutil.copyfile(single_file(db, 99), db)


def truncate(db: Path) -> None:
    db.write_bytes(b"")


def rename_folder(db: Path) -> None:
    db.parent.rename(db.parent.with_name("elsewhere"))


def move_aside(db: Path) -> None:
    db.rename(beside(db, ".aside"))


def move_back(db: Path) -> None:
    beside(db, ".aside").rename(db)


def content(path: Path) -> bytes:
    return path.read_bytes()


def log_size(db: Path) -> int:
    log = beside(db, "-wal")
    return log.stat().st_size if log.exists() else 0


@pytest.fixture
def db(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "chatd.db"


@pytest.mark.parametrize(
    ("displace", "says"),
    [
        (remove, "was removed or moved"),
        (replace, "was replaced by another file"),
        (remove_log, "-wal was removed"),
        (replace_log, "-wal was replaced"),
        (remove_shared_memory, "-shm was removed"),
        (overwrite, "was overwritten"),
        (truncate, "was overwritten"),
        (rename_folder, "was removed or moved"),
    ],
)
async def test_no_message_is_stored_in_a_database_that_was_replaced(
    db: Path, displace: Callable[[Path], None], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """C-66"""
    answers = Answers()
    async with opened(db) as store:
        answers.put(store, message(1))
        await store.flushed()
        displace(db)
        answers.put(store, message(2))
        await store.flushed()
        answers.put(store, message(3))
        await store.flushed()
        assert answers.stored == [1]
        assert answers.failed == {2: StoreCode.UNAVAILABLE, 3: StoreCode.UNAVAILABLE}
        assert {error.retry for _, error in answers.seen if error} == {True}
        assert says in str(await store.fault())
    told = [record for record in caplog.records if record.getMessage().startswith("the database file was moved")]
    assert len(told) == 1


async def test_a_file_that_was_moved_back_is_used_only_after_a_restart(db: Path) -> None:
    """C-66: another program may have written to it meanwhile, without the open log"""
    answers = Answers()
    async with opened(db) as store:
        answers.put(store, message(1))
        await store.flushed()
        move_aside(db)
        assert await store.fault() is not None
        move_back(db)
        answers.put(store, message(2))
        await store.flushed()
        assert answers.failed == {2: StoreCode.UNAVAILABLE}
    async with opened(db) as store:
        assert await store.fault() is None
        answers.put(store, message(3))
        await store.flushed()
    assert [row.id for row in rows(db) if row.id != 2] == [1, 3]


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "not noticed before the stop"])
@pytest.mark.parametrize("put", [replace, overwrite])
async def test_a_backup_copied_into_place_is_not_changed(db: Path, put: Callable[[Path], None], noticed: bool) -> None:
    """C-66: the old log is not replayed into it"""
    answers = Answers()
    async with opened(db) as store:
        for number in range(1, 50):
            answers.put(store, message(number))
        await store.flushed()
        put(db)
        before = content(db)
        if noticed:
            assert await store.fault() is not None
            assert log_size(db) == 0  # so that the old log is gone even after SIGKILL
    assert content(db) == before
    assert [row.id for row in rows(db)] == [99]


async def test_the_log_of_a_restored_database_is_not_removed(db: Path) -> None:
    """C-66: SQLite removes a log by its name"""
    answers = Answers()
    async with opened(db) as store:
        answers.put(store, message(1))
        await store.flushed()
        restored = backup(db, 99)
        with closing(sqlite3.connect(restored)) as other, closing(sqlite3.connect(restored)) as keeps_log:
            other.execute("PRAGMA journal_mode = WAL")
            other.execute("INSERT INTO mensajes VALUES (100, 'ana', 'berta', 'in the log', 0, 1, NULL)")
            other.commit()
            keeps_log.execute("SELECT count(*) FROM mensajes").fetchall()
            for end in ("", "-wal"):
                shutil.copy(beside(restored, end), beside(db, end + ".new"))
        for end in ("-wal", ""):
            beside(db, end + ".new").rename(beside(db, end))
    assert [row.id for row in rows(db)] == [99, 100]


@pytest.mark.parametrize("displace", [remove_log, replace_log])
async def test_messages_acknowledged_before_the_log_was_removed_are_in_the_file(
    db: Path, tmp_path: Path, displace: Callable[[Path], None]
) -> None:
    """C-66: even if the daemon is killed then"""
    answers = Answers()
    async with opened(db) as store:
        for number in range(1, 50):
            answers.put(store, message(number))
        await store.flushed()
        displace(db)
        assert await store.fault() is not None
        shutil.copy(db, tmp_path / "as-a-kill-leaves-it.db")
    for left in (db, tmp_path / "as-a-kill-leaves-it.db"):
        assert [row.id for row in rows(left)] == answers.stored == list(range(1, 50))


async def test_a_moved_file_has_all_acknowledged_messages(db: Path) -> None:
    """C-66"""
    answers = Answers()
    async with opened(db) as store:
        for number in range(1, 50):
            answers.put(store, message(number))
        await store.flushed()
        move_aside(db)
        assert await store.fault() is not None
    assert [row.id for row in rows(beside(db, ".aside"))] == answers.stored


async def test_a_link_that_was_changed_counts_as_a_replaced_file(db: Path) -> None:
    """C-66: the next start follows it"""
    async with opened(db):
        pass
    other = backup(db, 99)
    link = db.with_name("link.db")
    link.symlink_to(db)
    async with opened(link) as store:
        assert await store.fault() is None
        link.unlink()
        link.symlink_to(other)
        assert "was replaced" in str(await store.fault())


async def test_a_lookup_does_not_find_messages_of_a_removed_file(db: Path) -> None:
    """C-66: else a retry would be acknowledged"""
    answers: list[Found | StoreError] = []
    async with opened(db) as store:
        remove(db)
        store.find(Question("ana", "some-cid", list_cids=False), answers.append)
        await store.flushed()
    [answer] = answers
    assert isinstance(answer, StoreError)
    assert (answer.code, answer.retry) == (StoreCode.UNAVAILABLE, True)


async def test_no_checkpoint_goes_into_a_file_that_was_overwritten(db: Path) -> None:
    """C-66: the next commit would checkpoint pages of the old database into it"""
    answers = Answers()
    async with opened(db) as store:
        for number in range(1, 1_000):  # below the 1,000 pages at which SQLite checkpoints
            answers.put(store, message(number, "x" * 3_000))
        await store.flushed()
        overwrite(db)
        before = content(db)
        for number in range(1_001, 3_000):
            answers.put(store, message(number, "x" * 3_000))
        await store.flushed()
        assert len(answers.failed) == 1_999
        assert content(db) == before
    assert content(db) == before


async def test_an_older_state_of_the_same_database_is_noticed_by_its_header(db: Path) -> None:
    """C-66: another program copied it, in WAL mode as ours"""
    answers = Answers()
    async with opened(db) as store:
        answers.put(store, message(1))
        await store.flushed()
        with closing(sqlite3.connect(db)) as source, closing(sqlite3.connect(beside(db, ".copy"))) as copy:
            source.backup(copy)
        for number in range(2, 2_000):
            answers.put(store, message(number, "x" * 3_000))
        await store.flushed()
        assert await store.fault() is None
        shutil.copyfile(beside(db, ".copy"), db)
        assert "was overwritten" in str(await store.fault())
    assert [row.id for row in rows(db)] == [1]


async def test_writes_of_other_programs_through_sqlite_are_accepted(db: Path) -> None:
    """C-66: checkpoints, shrinking, growing, another tool's table"""
    answers = Answers()
    numbers = iter(range(1, 10_000))
    async with opened(db) as store:
        for statement in (
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "VACUUM",
            "CREATE TABLE other (id)",
            "DELETE FROM mensajes WHERE id % 2",
            "VACUUM",
            "PRAGMA wal_checkpoint(RESTART)",
            "DROP TABLE other",
        ):
            for _ in range(400):
                answers.put(store, message(next(numbers), "x" * 3_000))
            await store.flushed()
            with closing(sqlite3.connect(db, isolation_level=None)) as other:
                other.execute(statement).fetchall()
                other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            assert await store.fault() is None
    assert answers.failed == {}


async def test_no_transaction_is_left_open(db: Path) -> None:
    """C-66: else later statements would become part of it and be rolled back with it"""
    async with opened(db) as store:
        assert store._connection is not None
        await store._connection.execute_fetchall("BEGIN IMMEDIATE")
        remove_log(db)
        with pytest.raises(sqlite3.OperationalError, match="-wal was removed"):
            await store._connection.execute_fetchall("DELETE FROM mensajes")
        assert not store._connection.in_transaction
