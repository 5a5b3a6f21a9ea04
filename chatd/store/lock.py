"""One process per database: an advisory lock on a file beside it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from chatd.base.errors import ConfigError


class FileLock:
    """An flock on `<database>.lock`. The kernel releases it when the process ends.

    The lock is not on the database itself: SQLite uses POSIX locks, and closing any descriptor of a file drops all
    POSIX locks that the process has on it. The file is never removed: another process may have opened it, and would
    then lock a file that has no name any more.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._database = database
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises ConfigError if another process has it. Never waits."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            from chatd.store.access import refusal  # noqa: PLC0415 - only needed for this error

            raise ConfigError(
                f"cannot write {self.path}: {error.strerror}; chatd needs write access to the database's directory"
                f"{refusal([self.path, self.path.parent])}"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(fd, 20).decode("ascii", "replace").strip()
            os.close(fd)
            raise ConfigError(self._refusal(error, holder)) from error
        os.ftruncate(fd, 0)
        os.write(fd, b"%d\n" % os.getpid())
        self._fd = fd

    def release(self) -> None:
        """Idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _refusal(self, error: OSError, holder: str) -> str:
        if isinstance(error, BlockingIOError):
            return (
                f"{self._database} is in use by another chatd (process {holder or 'unknown'}): "
                "stop that one, or choose another --db"
            )
        return f"cannot lock {self.path}: {error.strerror}; use a file system that knows flock"
