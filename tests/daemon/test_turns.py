"""How many turns of the loop a message takes, as the daemon is assembled. E-25"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chatd.base.loop import TurnLoop
from tests.chat.people import chatting, enter
from tests.conformance.wire import Client

MESSAGES = 30


class CountingLoop(TurnLoop):
    """Counts the turns that have begun."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        select = self._turns.select

        def counted(timeout: float | None = None) -> Any:
            events = select(timeout)
            self.count += 1
            return events

        self._turns.select = counted  # type: ignore[method-assign]


def test_a_lone_message_is_delivered_in_the_turn_that_reads_it(tmp_path: Path) -> None:
    """Clients are in a thread of their own. A turn for the store or a timer may come between, but not every time."""

    async def converse(server: CountingLoop, address: Client) -> int:
        turns = []
        async with Client(address.host, address.port, address.path) as client:
            ana, root = await enter(client, "ana"), await enter(client, "root", "admin")
            for number in range(MESSAGES):
                before = server.count
                await ana.emit("mensaje_privado", {"para": "root", "mensaje": str(number)})
                assert (await root.hear())[1]["mensaje"] == str(number)
                turns.append(server.count - before)
        return min(turns)

    async def serve() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        async with chatting(tmp_path / "chatd.db") as chat:
            return await asyncio.to_thread(lambda: asyncio.run(converse(loop, chat.client)))

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert runner.run(serve()) == 1
