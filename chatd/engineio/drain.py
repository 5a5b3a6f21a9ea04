"""Sends all clients away, a few at a time, in the way that makes them come back by themselves. Rule L-08.

A thousand clients that are sent away in one moment come back in one moment, here or elsewhere, and none of them is
served in time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from chatd.engineio.reasons import CloseReason
from chatd.engineio.server import EngineServer

STEP_S: Final = 0.02


async def drain(server: EngineServer, per_second: float, within_s: float) -> None:
    """End the sessions of `server`, `per_second` of them (0: at once), or as many more as `within_s` asks for.

    Those that have been open for longest go first. New clients are left to the next call.
    """
    sessions = list(server.sessions.values())
    if not per_second:
        per_second = float("inf")
    per_second = max(per_second, len(sessions) / within_s)
    now = asyncio.get_running_loop().time
    start = now()
    for number, session in enumerate(sessions):
        early_s = number / per_second - (now() - start)
        if early_s > 0:
            await asyncio.sleep(max(early_s, STEP_S))
        session.close(CloseReason.SERVER_SHUTTING_DOWN)
