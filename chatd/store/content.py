"""Detects that the file of the database was overwritten in place, for example by `cp`.

With a write-ahead log, SQLite writes to the database only at checkpoints, so the file changes seldom. After a change
its header is checked: a backup of chatd is not in WAL mode, and an older copy of the same database has a smaller change
counter. Another database in WAL mode with more pages is not detected.
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
    """The content of the file, checked by the threads of the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._lock = threading.Lock()
        self._written: tuple[int, int] | None = None
        self._age = (0, 0)

    def open(self) -> None:
        """Call before SQLite opens the file, and `close` after SQLite has closed it: see FileLock. Raises OSError."""
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
    """Change counter and number of pages. A later state of a database never has a smaller pair.

    In WAL mode a connection increments the counter only at its first change, but its later changes only make the file
    grow; VACUUM, which shrinks it, increments the counter. https://www.sqlite.org/fileformat2.html#file_change_counter
    """
    counter, pages = struct.unpack_from(">II", header, _COUNTS_AT)
    return counter, pages
