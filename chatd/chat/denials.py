"""The operator's deny list, to which the API may add entries. Rule A-16."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from chatd.auth import AuthConfig
from chatd.base.errors import RefusedError

Apply = Callable[[AuthConfig], object]
"""Reads the deny list again and applies it. Raises ConfigError."""


class Denials:
    """Adds entries in the notation of the file: `user:"ana"`, `jti:"4fd1"`."""

    def __init__(self, config: AuthConfig, apply: Apply) -> None:
        self._config = config
        self._apply = apply
        self._writing = asyncio.Lock()

    def use(self, config: AuthConfig) -> None:
        """Another deny list from now on."""
        self._config = config

    def check(self) -> Path:
        """The file. Raises RefusedError where there is none."""
        if self._config.deny_file is None:
            raise RefusedError("no_deny_file", "The daemon has no deny_file, which is where this would stand.")
        return self._config.deny_file

    async def add(self, entry: str) -> None:
        """Store the entry before applying it: after a restart a denied user must still be refused.

        Raises RefusedError, OSError and ConfigError.
        """
        path = self.check()
        async with self._writing:
            await asyncio.to_thread(_append, path, entry)
            self._apply(self._config)

    def add_at_once(self, entry: str) -> None:
        """As `add`, for another node that waits. Blocks the event loop while it writes."""
        _append(self.check(), entry)
        self._apply(self._config)


def _append(path: Path, entry: str) -> None:
    """Add a line, unless it is there. Raises OSError."""
    text = path.read_text(encoding="utf-8")
    if entry in text.splitlines():
        return
    lead = "" if not text or text.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{lead}{entry}\n")
        file.flush()
        os.fsync(file.fileno())
