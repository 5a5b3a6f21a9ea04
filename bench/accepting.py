"""What programs between a client and a server are made on: connections are accepted, each is served in its own task."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

# Of the loop, from the acceptance of a connection until asyncio says so: `accept`, the transport, `connection_made`.
HANDOVER_TURNS: Final = 3


@contextlib.asynccontextmanager
async def accepting(port: int, serve: Serve, end: Callable[[], None]) -> AsyncIterator[None]:
    """Listen on `port` for the time of a block; `end` then makes every `serve` return, and they are waited for."""
    running: set[asyncio.Task[None]] = set()

    def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    listener = await asyncio.start_server(on_connection, "127.0.0.1", port)
    try:
        yield
    finally:
        end()
        await _close(listener)
        if running:
            await asyncio.wait(running)


async def _close(listener: asyncio.Server) -> None:
    """asyncio loses a connection, with a warning, that is accepted and not yet handed over when its server closes."""
    for each in listener.sockets:
        asyncio.get_running_loop().remove_reader(each.fileno())
    for _ in range(HANDOVER_TURNS):
        await asyncio.sleep(0)
    listener.close()
    await listener.wait_closed()
