"""Accepted connections that are not open yet: a queue for each address, and the queues take turns. Rule L-10.

The kernel hands connections over in the order in which they came, and to open one costs some 0.1 ms. An address that
connects and closes without pause filled the kernel's queue of 4,096, and a newcomer waited behind them for seconds. To
accept one costs a tenth of that. So more are accepted than are opened, and of each address one is opened at a time.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

ANY: Final = ""
"""In the place of an address: those that have none, share one as clients of a proxy do, or are not limited."""


def any_address(host: str) -> str:
    """For a listener that treats all addresses as one."""
    return ANY


class Arrivals:
    """Connections that wait. `counted` says by what an address counts; `max_waiting` is how many of one may wait."""

    def __init__(self, counted: Callable[[str], str] = any_address, max_waiting: int = 0) -> None:
        self._counted = counted
        self._max_waiting = max_waiting
        self._queues: dict[str, deque[tuple[socket.socket, str]]] = {}  # in the order of their turns

    def add(self, accepted: socket.socket, host: str) -> bool:
        """Let `accepted` wait for its turn; False if too many of its address wait."""
        counted = self._counted(host)
        queue = self._queues.get(counted)
        if queue is None:
            queue = self._queues[counted] = deque()
        elif counted != ANY and len(queue) >= self._max_waiting:
            return False
        queue.append((accepted, host))
        return True

    def take(self, count: int) -> Iterator[tuple[socket.socket, str]]:
        """Up to `count` of them with their hosts, one of each address after the other."""
        for _ in range(count):
            if not self._queues:
                return
            counted, queue = next(iter(self._queues.items()))
            del self._queues[counted]
            first = queue.popleft()
            if queue:
                self._queues[counted] = queue
            yield first

    def __bool__(self) -> bool:
        """Whether any wait."""
        return bool(self._queues)
