"""The stop of a daemon: sessions are closed, and accepted messages are stored and acknowledged. Rule C-27."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Final

from chatd.engineio.drain import drain
from chatd.engineio.server import EngineServer
from chatd.listen.config import ListenConfig
from chatd.listen.listening import Listening
from chatd.store.base import Store

# Time for clients to answer the close packet or frame before their connections are closed.
GOODBYE_S: Final = 1.0

# The share of the stop timeout in which all sessions are closed, whatever their number.
DRAIN_SHARE: Final = 0.7

EXIT_UNFINISHED: Final = 1

log = logging.getLogger("chatd")


async def send_away(config: ListenConfig, listening: Listening, engine: EngineServer, store: Store) -> None:
    """Close all sessions and store all accepted messages, in at most `stop_timeout`."""
    try:
        async with asyncio.timeout(config.stop_timeout_s):
            await _send_away(config, listening, engine, store)
    except TimeoutError:
        log.error("the stop took too long; connections were cut", extra={"timeout_s": config.stop_timeout_s})
        if store.waiting:
            # The disk hangs, and closing the file would hang too. None of these messages was acknowledged.
            log.error("messages were not stored, and none of them acknowledged", extra={"messages": store.waiting})
            os._exit(EXIT_UNFINISHED)


async def _send_away(config: ListenConfig, listening: Listening, engine: EngineServer, store: Store) -> None:
    await asyncio.sleep(config.stop_delay_s)
    await listening.stop()
    engine.stop_admitting()
    await store.flushed()
    within_s = DRAIN_SHARE * (config.stop_timeout_s - config.stop_delay_s)
    await drain(engine, config.stop_rate, within_s)
    await engine.connections.close(GOODBYE_S)
    await store.flushed()
