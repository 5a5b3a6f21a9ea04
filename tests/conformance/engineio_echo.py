"""An Engine.IO server that echoes every message.

    python -m tests.conformance.engineio_echo --port N

A ping comes every 300 ms, as in the protocol's official test suite; its timeout is longer, for busy machines.
"""

from __future__ import annotations

import argparse
import asyncio

from chatd.base.timers import Timers
from chatd.engineio.config import EngineConfig
from chatd.engineio.outbox import Outbox
from chatd.engineio.reasons import CloseReason
from chatd.engineio.server import EngineHooks, EngineServer
from chatd.engineio.session import Session
from chatd.engineio.turns import Turns

CONFIG = EngineConfig(
    path="/engine.io/",
    ping_interval_s=0.3,
    ping_timeout_s=2.0,
    max_payload_bytes=1_000_000,
    max_payload_before_join_bytes=1_000_000,
    accept_rate_per_address=0,
)


class Echo:
    """The handler of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_message(self, data: str | bytes) -> None:
        self._session.send(data)

    def on_close(self, reason: CloseReason) -> None: ...


def build(loop: asyncio.AbstractEventLoop, config: EngineConfig = CONFIG) -> EngineServer:
    timers, outbox, turns = Timers(loop.time, loop.call_at), Outbox(loop.call_soon), Turns(loop.time, loop.call_soon)
    return EngineServer(config, timers, outbox, turns, EngineHooks(accept=Echo))


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(build(loop).connection, "127.0.0.1", port)
    await listener.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
