"""How much room the database takes and its disk has, and the floor below which messages are refused. Rule L-14.

A disk that is full to the last byte stops more than messages: marks, deletion, backups, and whatever else writes there.
So messages, which take nearly all the room, stop earlier. The disk is asked on the thread of the database, where a disk
that hangs holds up nothing else; at most once in EVERY_S, and each IDLE_S when nothing is written.
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
    """The cause of a refusal, for the log."""


class Space:
    """The file system of the database `path`. `min_free_bytes` 0: it may be filled to the last byte."""

    def __init__(self, path: Path, min_free_bytes: int) -> None:
        self.free_bytes = 0
        self.used = Used(0, 0)
        self._folder = path.parent
        self._files = (path, path.with_name(path.name + BESIDE[0]))
        self._min_free_bytes = min_free_bytes
        self._asked_at = float("-inf")

    async def attach(self, connection: aiosqlite.Connection) -> None:
        """Let `measure` run on the thread of `connection`: as a function of its SQL."""
        await connection.create_function("free_bytes", 0, self._look)

    async def measure(self, execute: Execute) -> None:
        """Ask the disk, unless it was asked a moment ago. Raises what `execute` raises."""
        if monotonic() - self._asked_at >= EVERY_S:
            await execute(_ASK, ())

    @property
    def fault(self) -> str | None:
        """Why messages are refused, in words; None if they are not."""
        if self.free_bytes >= self._min_free_bytes:
            return None
        return (
            f"only {self.free_bytes // 1_048_576} MiB are free on the disk of the database, and min_free is "
            f"{self._min_free_bytes // 1_048_576} MiB: make room"
        )

    def check(self) -> None:
        """Whether a message may be stored. Raises StoreError, as for a disk that is full."""
        if (fault := self.fault) is not None:
            refusal = StoreError(StoreCode.FULL, "the disk is full: try again later", retry=True)
            raise refusal from TooLittleSpaceError(fault)

    def _look(self) -> int:
        """A file system that does not say how much room it has is no reason to refuse anything."""
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
    except OSError:  # the log is gone while nothing was written
        return 0
