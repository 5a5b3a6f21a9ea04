"""A server that takes all inputs of a process, one after the other, on an event loop with a manual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.attack.honest import error_log
from tests.attack.loop import SkippingLoop


class LastingServer:
    """An input must leave no state behind."""

    def __init__(self) -> None:
        self.loop = SkippingLoop()
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))

    async def attack(self, data: bytes) -> None:
        """Raises AssertionError if the output is wrong or if state is left behind."""
        raise NotImplementedError

    async def turns(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


def attack_on(make: Callable[[], LastingServer]) -> Callable[[bytes], None]:
    """Returns the target function. It creates the server at its first call, and fails on exceptions and error logs."""
    servers: list[LastingServer] = []

    def attack(data: bytes) -> None:
        if not servers:
            servers.append(make())
        [server] = servers
        with error_log() as errors:
            server.loop.run_until_complete(server.attack(data))
        assert not server.faults, server.faults
        assert not errors.records, errors.records

    return attack
