"""The parts of a daemon, in the order in which they start; they close in the reverse order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from chatd.base.part import Counts, Part
from chatd.daemon.config import Config
from chatd.settings.reload import Reload


class Parts:
    """`refusals` has those of all parts, by layer."""

    def __init__(self, reload: Reload[Config]) -> None:
        self.refusals: dict[str, Counts] = {}
        self._shown: dict[str, Callable[[], object | None]] = {}
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
        self._shown |= part.shown

    def shown(self, name: str) -> object | None:
        """What a part shows its metrics; None while it is off."""
        show = self._shown.get(name)
        return None if show is None else show()

    def fault(self) -> str | None:
        """Why no client should come to this daemon; None if no part has a reason."""
        return next((fault for part in self._parts if (fault := part.fault()) is not None), None)

    def worry(self) -> str | None:
        """What is wrong with a part while clients may come."""
        return next((worry for part in self._parts if (worry := part.worry()) is not None), None)

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
