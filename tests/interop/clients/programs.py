"""Clients that need no orders: a program that says in one line what happened to it, and the server that it meets."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from tests.interop.clients.seats import HERE, node
from tests.interop.node import PATIENCE_S

# The oldest here with a WebSocket of its own that is always on.
RUNTIME: Final = node(22)


async def told(program: str, *arguments: str) -> Any:
    """What engine.mjs or strangers.mjs prints."""
    process = await asyncio.create_subprocess_exec(
        *RUNTIME(), str(HERE / program), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, out
    return json.loads(out)
