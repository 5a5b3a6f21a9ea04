"""`chatd restore FILE`: replaces the database by a backup, with the owner and mode of the old database.

The new file is written completely beside the database first. Then the old database and its log are renamed, and the new
file gets the name in one step.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from chatd.base.errors import ConfigError
from chatd.cli.database import DataError, add_database, configured, refuse_postgres
from chatd.cli.newfile import draft_beside, sync
from chatd.store.access import user
from chatd.store.beside import BESIDE
from chatd.store.faults import advice
from chatd.store.lock import FileLock
from chatd.store.schema import MIGRATIONS

PRIVATE: Final = 0o600

EPILOG: Final = """\
Stop the daemon first, and its socket if systemd listens for it: systemctl stop 'chatd.*'. The old database is kept
beside the new one, as NAME.before- and the time.
"""


class _Place(NamedTuple):
    """Owner, group and mode of the new file."""

    owner: int
    group: int
    mode: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", type=Path, metavar="FILE", help="a file of chatd backup")
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    refuse_postgres(config, "take pg_restore")
    path = Path(config.db).resolve()
    backup = args.file.resolve()
    place = _place(path)
    messages = _check(backup)
    with _locked(path, place):
        kept = _replace(path, backup, place)
    print(f"{path}: {messages} messages{'' if kept is None else f'; what was there is {kept}'}")
    return 0


def _place(path: Path) -> _Place:
    """Those of the existing database, or else of its folder. Raises ConfigError."""
    if not path.parent.is_dir():
        raise ConfigError(f"the directory {path.parent} does not exist: create it, or name another database with --db")
    found = (path if path.exists() else path.parent).stat()
    place = _Place(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode) if path.exists() else PRIVATE)
    if place.owner != os.geteuid() != 0:
        owner, we = user(place.owner), user(os.geteuid())
        raise ConfigError(f"{path} is of {owner}, with mode {place.mode:04o}, and you are {we}: run this as root")
    return place


@contextlib.contextmanager
def _locked(path: Path, place: _Place) -> Iterator[None]:
    """No daemon runs on the database, nor begins to. Raises ConfigError."""
    lock = FileLock(path)
    lock.acquire()
    try:
        os.chown(lock.path, place.owner, place.group)  # the daemon takes the same file
        yield
    finally:
        lock.release()


def _check(backup: Path) -> int:
    """Check the backup. Returns the number of messages in it. Raises ConfigError and DataError."""
    if not backup.is_file():
        raise ConfigError(f"there is no file {backup}")
    wal = backup.with_name(f"{backup.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise ConfigError(f"{backup} is no backup, because {wal.name} is beside it: copy it with chatd backup")
    try:
        with closing(sqlite3.connect(f"{backup.as_uri()}?immutable=1", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if not 0 < version <= len(MIGRATIONS):
                raise ConfigError(f"{backup} is no database of this chatd or an older one (schema {version})")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise DataError(f"{backup} is damaged: {' '.join(verdict.split())}")
            (messages,) = connection.execute("SELECT count(*) FROM mensajes").fetchone()
    except sqlite3.Error as error:
        raise DataError(f"cannot read {backup}: {advice(error)}") from error
    return int(messages)


def _replace(path: Path, backup: Path, place: _Place) -> Path | None:
    """Replace the database. Returns the new name of the old one, None if there was none. Raises OSError."""
    with draft_beside(path) as draft:
        shutil.copyfile(backup, draft)
        os.chown(draft, place.owner, place.group)
        draft.chmod(place.mode)
        sync(draft)
        kept = _set_aside(path)
        draft.rename(path)
    sync(path.parent)
    return kept


def _set_aside(path: Path) -> Path | None:
    """Rename the database and its log, which may have the last messages. The log's index is deleted: it is rebuilt."""
    now = datetime.datetime.now(datetime.UTC)
    kept = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%S.%fZ}")
    wal, shm = (path.with_name(path.name + end) for end in BESIDE)
    if wal.exists():
        wal.rename(f"{kept}{BESIDE[0]}")
    shm.unlink(missing_ok=True)
    if not path.exists():
        return None
    path.rename(kept)
    return kept
