"""Checks the database: it exists or can be created, is one of chatd, has a known version, and free disk space."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from chatd.chat.messages.ids import is_in_reserve
from chatd.cli.checks.finding import Findings
from chatd.cli.exposed import exposed_database
from chatd.store.access import user
from chatd.store.base import MessageId
from chatd.store.beside import check_log
from chatd.store.faults import advice
from chatd.store.schema import MIGRATIONS

FREE_BYTES: Final = 256 * 1024 * 1024

HOLDER_UNKNOWN: Final = 0


def check_database(path: Path, findings: Findings, min_free_bytes: int) -> None:
    if path.parent.is_dir():
        _check_space(path, findings, min_free_bytes)
    with findings.refused_as("db"):
        check_log(path)
        _check_file(path, findings)


def _check_file(path: Path, findings: Findings) -> None:
    if not path.exists():
        _check_folder(path, findings)
        return
    holder = holder_of(path)
    try:
        version, tables, greatest = _look(path)
    except sqlite3.Error as error:
        findings.error("db", f"cannot use the database {path}: {advice(error)}")
        return
    used = "no daemon runs on it" if holder is None else f"in use by process {holder or 'unknown'}"
    if version > len(MIGRATIONS):
        findings.error("db", f"{path} was written by a newer chatd: schema {version}, this one knows {len(MIGRATIONS)}")
    elif version == 0 and tables:
        findings.error("db", f"{path} belongs to another program: choose another --db")
    elif version < len(MIGRATIONS):
        text = f"{path}: schema {version}; a start takes it to {len(MIGRATIONS)}, so make a backup; {used}"
        findings.warning("db", text)
    else:
        findings.ok("db", f"{path}: schema {version}, {used}")
    if is_in_reserve(greatest):
        text = f"{path} has a message with the id {greatest}, and few ids are greater, or none"
        findings.error("db", f"{text}: stop the daemon, and run chatd renumber")
    _check_access(path, findings)


def holder_of(path: Path) -> int | None:
    """The process id of the daemon that holds the database; None without one, HOLDER_UNKNOWN if it is not known.

    Tests the lock without keeping it or creating its file. Never raises.
    """
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.read(lock, 20).strip()
        return int(said) if said.isdigit() else HOLDER_UNKNOWN
    except OSError:
        return None
    finally:
        os.close(lock)
    return None


@contextmanager
def looking_at(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that leaves no files behind. Raises sqlite3.Error.

    Without a write-ahead log no process is writing, so the file is opened as immutable: otherwise SQLite would create
    files beside it.
    """
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=2)) as connection:
        yield connection


def _look(path: Path) -> tuple[int, int, MessageId]:
    """Schema version, number of tables, greatest id of a message or 0. Raises sqlite3.Error."""
    with looking_at(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        greatest = None
        if 0 < version <= len(MIGRATIONS):
            (greatest,) = connection.execute("SELECT max(id) FROM mensajes").fetchone()
    return version, tables, MessageId(greatest or 0)


def _check_folder(path: Path, findings: Findings) -> None:
    if not path.parent.is_dir():
        findings.error("db", f"the directory {path.parent} does not exist: create it, or choose another --db")
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        findings.error("db", f"{path} cannot be created: give chatd write access to {path.parent}")
    else:
        findings.ok("db", f"{path} does not exist yet; a start creates it")


def _check_access(path: Path, findings: Findings) -> None:
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        findings.error("db", f"{path} is read-only for this user: give chatd write access to it and its directory")
    owner, folders = path.stat().st_uid, path.parent.stat().st_uid
    if owner != folders:
        whose = f"{path} belongs to {user(owner)}, and its directory to {user(folders)}, who may be unable to open it"
        findings.warning("db", f"{whose}: put backups there with chatd restore")
    if (text := exposed_database(path)) is not None:
        findings.warning("db", text)


def _check_space(path: Path, findings: Findings, min_free_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < min_free_bytes:
        text = f"only {free // 1_048_576} MiB are free on the disk of {path}: messages are refused below min_free"
        findings.warning("min_free", f"{text}, {min_free_bytes // 1_048_576} MiB; make room")
    elif free < FREE_BYTES:
        findings.warning("db", f"only {free // 1_048_576} MiB are free on the disk of {path}: make room")
