"""An event loop whose clock stands still while anything happens, and jumps to the next deadline when nothing does.

So how late a deadline comes, and what comes before it, is the same on every machine, however busy: for tests in which
server and clients share one loop and all that moves are sockets of the loopback.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final

# In real time: how long nothing must have come before the clock jumps.
SILENCE_S: Final = 0.02


class _Selector(selectors.DefaultSelector):
    """Waits in time of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(timeout if timeout is None else min(timeout, SILENCE_S))
        if not ready and timeout is not None:
            self.now_s += timeout
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """See above."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s


def run_in_loop_time(test: Coroutine[Any, Any, None]) -> None:
    """Run a whole test on such a loop."""
    with asyncio.Runner(loop_factory=IdleLoop) as runner:
        runner.run(test)
