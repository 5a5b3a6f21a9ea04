"""The basis of programs between client and server: accepts connections, and serves each in a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

# Turns of the loop from the accept of a connection to the callback: `accept`, the transport, `connection_made`.
HANDOVER_TURNS: Final = 3


@contextlib.asynccontextmanager
async def accepting(port: int, serve: Serve, end: Callable[[], None]) -> AsyncIterator[None]:
    """Listen on `port` during the block; then `end` must make every `serve` return, and all of them are awaited."""
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
    """asyncio leaks a connection, with a warning, that is accepted but not handed over when its server closes."""
    for each in listener.sockets:
        asyncio.get_running_loop().remove_reader(each.fileno())
    for _ in range(HANDOVER_TURNS):
        await asyncio.sleep(0)
    listener.close()
    await listener.wait_closed()
