"""SIGTERM and SIGINT end the daemon. Rule C-20 of protocol.md."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Final

EXIT_AT_ONCE: Final = 130


def stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the next one ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(EXIT_AT_ONCE)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop
