"""The lock file: one holder at a time, also if the holder dies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.store.lock import FileLock


def test_a_second_holder_is_refused_and_the_error_names_the_first(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "chatd.db"), FileLock(tmp_path / "chatd.db")
    first.acquire()
    with pytest.raises(ConfigError, match=f"process {os.getpid()}"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    with pytest.raises(ConfigError):
        first.acquire()
    second.release()


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    (tmp_path / "chatd.db.lock").write_text("99999999\n" * 9)
    lock = FileLock(tmp_path / "chatd.db")
    lock.acquire()
    assert lock.path.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_lock_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "chatd.db.lock").mkdir()
    with pytest.raises(ConfigError, match=r"cannot write .*chatd\.db\.lock"):
        FileLock(tmp_path / "chatd.db").acquire()
