"""The size of the database, the free space of its disk, and the minimum below which messages are refused. Rule L-14.

A full disk would stop not only messages but also marks, deletion, backups and other programs. So messages, which take
nearly all the space, are refused earlier. The thread of the database measures the disk, so that a hanging disk does not
block the event loop; at most once in EVERY_S, and every IDLE_S when nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

import aiosqlite

from .base import StoreCode, StoreError, Used
from .beside import BESIDE

EVERY_S: Final = 1.0
IDLE_S: Final = 10.0

_ASK: Final = "SELECT free_bytes()"

Execute = Callable[[str, Sequence[int]], Awaitable[Any]]


class TooLittleSpaceError(Exception):
    """The `__cause__` of a refusal, for the log."""


class Space:
    """The file system of the database `path`. `min_free_bytes` 0: no minimum."""

    def __init__(self, path: Path, min_free_bytes: int) -> None:
        self.free_bytes = 0
        self.used = Used(0, 0)
        self._folder = path.parent
        self._files = (path, path.with_name(path.name + BESIDE[0]))
        self._min_free_bytes = min_free_bytes
        self._asked_at = float("-inf")

    async def attach(self, connection: aiosqlite.Connection) -> None:
        """Register the measurement as an SQL function, so that it runs on the thread of `connection`."""
        await connection.create_function("free_bytes", 0, self._look)

    async def measure(self, execute: Execute) -> None:
        """Measure the disk, unless it was measured within EVERY_S. Raises what `execute` raises."""
        if monotonic() - self._asked_at >= EVERY_S:
            await execute(_ASK, ())

    @property
    def fault(self) -> str | None:
        """Why messages are refused, as a sentence; None if they are not."""
        if self.free_bytes >= self._min_free_bytes:
            return None
        return (
            f"only {self.free_bytes // 1_048_576} MiB are free on the disk of the database, and min_free is "
            f"{self._min_free_bytes // 1_048_576} MiB: make room"
        )

    def check(self) -> None:
        """Raises StoreError, as for a full disk, if messages must be refused."""
        if (fault := self.fault) is not None:
            refusal = StoreError(StoreCode.FULL, "the disk is full: try again later", retry=True)
            raise refusal from TooLittleSpaceError(fault)

    def _look(self) -> int:
        """Measure the disk. If the file system does not tell its free space, nothing is refused."""
        self._asked_at = monotonic()
        try:
            found = os.statvfs(self._folder)
        except OSError:
            self.free_bytes = max(self.free_bytes, self._min_free_bytes)
        else:
            self.free_bytes = found.f_bavail * found.f_frsize
        self.used = Used(*map(_size, self._files))
        return self.free_bytes


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # there is no log before the first write
        return 0
