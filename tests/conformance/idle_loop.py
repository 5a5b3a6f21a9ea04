"""An event loop whose clock stands still while there is work, and jumps to the next deadline when the loop is idle.

So the delay of a deadline is the same on every machine: for tests in which
server and clients share one loop and use only loopback sockets.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final

# Real time without an event after which the clock jumps.
SILENCE_S: Final = 0.02


class _Selector(selectors.DefaultSelector):
    """Waits in virtual time."""

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
