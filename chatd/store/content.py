"""Whether a database was overwritten in its place, as by `cp`: the same file, and no more what SQLite has written.

With a write-ahead log, SQLite writes to the database only at checkpoints, its own and those of other programs. So the
file changes seldom, and then its header tells: one of chatd's backups says that it has no log, and an older state of
the same database that fewer changes were made. Another database with a log and more pages is not recognized.
"""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path
from typing import Final

from .beside import HEADER_BYTES, is_in_wal_mode

_COUNTS_AT: Final = 24


class Content:
    """The content of the file, looked at by the threads of the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._lock = threading.Lock()
        self._written: tuple[int, int] | None = None
        self._age = (0, 0)

    def open(self) -> None:
        """Before SQLite opens the file, and `close` after it has closed it: see FileLock for why. Raises OSError."""
        self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def is_foreign(self, status: os.stat_result) -> bool:
        """Whether the file was overwritten. `status` is its current stat result."""
        written = status.st_mtime_ns, status.st_size
        if self._fd is None or written == self._written:
            return False
        with self._lock:
            header = os.pread(self._fd, HEADER_BYTES, 0)
            if not is_in_wal_mode(header) or (age := _age(header)) < self._age:
                return True
            self._written, self._age = written, age
        return False


def _age(header: bytes) -> tuple[int, int]:
    """Change counter and number of pages. Of two states of one database the later has no smaller pair.

    A connection counts its first change alone, but what it changes afterwards only makes the file grow; VACUUM, which
    shrinks it, counts. https://www.sqlite.org/fileformat2.html#file_change_counter
    """
    counter, pages = struct.unpack_from(">II", header, _COUNTS_AT)
    return counter, pages
