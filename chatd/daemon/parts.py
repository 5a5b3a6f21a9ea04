"""The parts of a daemon, in the order in which they start; they close in the reverse order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from chatd.base.part import Counts, Part
from chatd.daemon.config import Config
from chatd.settings.reload import Reload


class Parts:
    """`refusals` has the refusal counts of all parts, by layer."""

    def __init__(self, reload: Reload[Config]) -> None:
        self.refusals: dict[str, Counts] = {}
        self._shown: dict[str, Callable[[], object | None]] = {}
        self._reload = reload
        self._parts: list[Part] = []
        self._ends = AsyncExitStack()

    def add(self, part: Part) -> None:
        """Add a part, and apply its live settings at each reload from now on."""
        self._parts.append(part)
        self._ends.push_async_callback(part.close)
        for live in part.live:
            self._reload.add(*live)
        self.refusals |= part.refusals
        self._shown |= part.shown

    def shown(self, name: str) -> object | None:
        """The object that the metrics of a part read; None while the part is off."""
        show = self._shown.get(name)
        return None if show is None else show()

    def fault(self) -> str | None:
        """Why the daemon is not ready for clients: the fault of the first part that has one, or None."""
        return next((fault for part in self._parts if (fault := part.fault()) is not None), None)

    def worry(self) -> str | None:
        """A problem of a part that does not make the daemon unready, or None."""
        return next((worry for part in self._parts if (worry := part.worry()) is not None), None)

    async def start(self) -> None:
        """Start all parts. Raises what a part raises; `close` is then still needed, for those that have started."""
        for part in self._parts:
            begun = part.start()
            if begun is not None:
                await begun

    def stopping(self) -> None:
        """Tell all parts that a stop begins."""
        for part in self._parts:
            part.stopping()

    async def close(self) -> None:
        """Close all parts. Idempotent. If one fails, the others are closed all the same."""
        await self._ends.aclose()
