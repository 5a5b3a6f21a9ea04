"""An event loop whose clock can be put forward, so that a test lives a heartbeat's minutes at once."""

from __future__ import annotations

import asyncio


class SkippingLoop(asyncio.SelectorEventLoop):
    """Deadlines that lie in a stretch of skipped time are due when the loop runs next, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_s = 0.0

    def time(self) -> float:
        return super().time() + self._skipped_s

    def skip(self, seconds: float) -> None:
        self._skipped_s += seconds
