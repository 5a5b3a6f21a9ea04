"""Accepted connections that are not open yet: one queue for each address, served in rotation. Rule L-10.

The kernel returns connections in the order of their arrival. To accept a connection takes about 0.01 ms, to open it
about 0.1 ms. One address that connected and closed without pause filled the kernel's queue of 4,096, and other clients
waited for seconds. So connections are accepted faster than they are opened, and addresses take turns.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

ANY: Final = ""
"""The key of connections without an address, with a shared address (a proxy's), or without a limit."""


def any_address(host: str) -> str:
    """A `counted` for a listener that does not distinguish addresses."""
    return ANY


class Arrivals:
    """The waiting connections. `counted` maps an address to its key; each key may have `max_waiting` of them."""

    def __init__(self, counted: Callable[[str], str] = any_address, max_waiting: int = 0) -> None:
        self._counted = counted
        self._max_waiting = max_waiting
        self._queues: dict[str, deque[tuple[socket.socket, str]]] = {}  # in the order of their turns

    def add(self, accepted: socket.socket, host: str) -> bool:
        """Add `accepted` to the queue of its address. Returns False if the queue is full."""
        counted = self._counted(host)
        queue = self._queues.get(counted)
        if queue is None:
            queue = self._queues[counted] = deque()
        elif counted != ANY and len(queue) >= self._max_waiting:
            return False
        queue.append((accepted, host))
        return True

    def take(self, count: int) -> Iterator[tuple[socket.socket, str]]:
        """Remove and return up to `count` connections with their hosts, one of each address in rotation."""
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
        """Whether any connection waits."""
        return bool(self._queues)
