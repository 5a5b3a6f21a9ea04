"""Clients that take no commands: each is a program that prints its result as one line of JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from tests.interop.clients.seats import HERE, node
from tests.interop.node import PATIENCE_S

# The oldest release whose built-in WebSocket needs no flag.
RUNTIME: Final = node(22)


async def told(program: str, *arguments: str) -> Any:
    """The JSON that engine.mjs or strangers.mjs prints."""
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
