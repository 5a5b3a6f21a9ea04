"""A server that takes all inputs of a process, one after the other, on a loop whose clock is made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.attack.honest import error_log
from tests.attack.loop import SkippingLoop


class LastingServer:
    """Each input must leave it as it found it."""

    def __init__(self) -> None:
        self.loop = SkippingLoop()
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))

    async def attack(self, data: bytes) -> None:
        """Raises AssertionError if something comes out that should not, or stays."""
        raise NotImplementedError

    async def turns(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


def attack_on(make: Callable[[], LastingServer]) -> Callable[[bytes], None]:
    """What gives an input to the server, which is made for the first one. Nothing but answers may come out."""
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
