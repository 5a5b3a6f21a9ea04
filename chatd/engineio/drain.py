"""Ends all sessions when the daemon stops, a few at a time, so that clients reconnect by themselves. Rule L-08.

A thousand clients that are disconnected at once reconnect at once, and overload the server that takes them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from chatd.engineio.reasons import CloseReason
from chatd.engineio.server import EngineServer

STEP_S: Final = 0.02


async def drain(server: EngineServer, per_second: float, within_s: float) -> None:
    """End the sessions of `server` at a rate of `per_second` (0: all at once), or faster to finish `within_s` seconds.

    The oldest sessions end first. Sessions that open meanwhile are not ended.
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
