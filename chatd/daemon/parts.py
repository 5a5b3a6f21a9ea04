"""The parts of a daemon, in the order in which they start; they close in the reverse order."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from chatd.base.part import Counts, Part
from chatd.daemon.config import Config
from chatd.settings.reload import Reload


class Parts:
    """`refusals` and `shown` have what metrics read of all parts, by name."""

    def __init__(self, reload: Reload[Config]) -> None:
        self.refusals: dict[str, Counts] = {}
        self.shown: dict[str, Any] = {}
        self._reload = reload
        self._parts: list[Part] = []
        self._ends = AsyncExitStack()

    def add(self, part: Part) -> None:
        """Its settings are live from now on."""
        self._parts.append(part)
        self._ends.push_async_callback(part.close)
        for live in part.live:
            self._reload.add(*live)
        self.refusals |= part.refusals
        self.shown |= part.shown

    async def start(self) -> None:
        """Raises what a part raises; `close` ends those that have started, too."""
        for part in self._parts:
            begun = part.start()
            if begun is not None:
                await begun

    def stopping(self) -> None:
        """Tell them that a stop begins."""
        for part in self._parts:
            part.stopping()

    async def close(self) -> None:
        """Idempotent. A part that fails does not keep the others open."""
        await self._ends.aclose()
