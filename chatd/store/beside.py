"""The files of SQLite beside a database: the write-ahead log and its index. Rule C-66 of protocol.md.

SQLite applies a log to any database of that name. So the log of a killed daemon could overwrite parts of a restored
backup, or be lost if the database is missing; chatd refuses to start then.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError

BESIDE: Final = ("-wal", "-shm")
"""Suffixes to the name of the database: https://www.sqlite.org/tempfiles.html"""

# https://www.sqlite.org/fileformat2.html#the_database_header
HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_IN_WAL_MODE: Final = b"\x02\x02"


def check_log(path: Path) -> None:
    """Raises ConfigError if the log beside the database `path` is not empty and belongs to another database."""
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or not wal.stat().st_size:
        return
    header = b""
    if path.exists():
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    if not header:
        raise ConfigError(
            f"{path} is missing or empty, and its log {wal} is not: put the database back, or remove the log and "
            "with it the last messages"
        )
    if header.startswith(_MAGIC) and not is_in_wal_mode(header):
        raise ConfigError(
            f"{path} is a backup that was put beside the log {wal} of another database, which would undo it: remove "
            f"{wal.name} and {path.name}-shm"
        )


def is_in_wal_mode(header: bytes) -> bool:
    """Whether `header` is of a database in WAL mode. A backup of chatd is not, until a daemon opens it."""
    return header.startswith(_MAGIC) and header[18:20] == _IN_WAL_MODE


def close_to_others(path: Path) -> None:
    """Make these files readable to their owner only. SQLite gives them the mode of the database, which may be wider."""
    for end in BESIDE:
        with contextlib.suppress(OSError):
            path.with_name(path.name + end).chmod(0o600)
