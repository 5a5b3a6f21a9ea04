"""Runs a server of chatd inside the test, on a free port, and checks that no state is left at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from chatd.listen.listener import bound_reads
from tests.conformance.wire import TIMEOUT_S, Client


@contextlib.asynccontextmanager
async def serving(connection: Callable[[], asyncio.BaseProtocol], path: str) -> AsyncIterator[Client]:
    """A client of a server whose connections are made by `connection`.

    At the end the client disconnects, and then every connection of the server must end by itself. Fails if an
    exception reached the event loop: no input may cause one.
    """
    loop = asyncio.get_running_loop()
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    bound_reads()
    listener = await loop.create_server(connection, "127.0.0.1", 0)
    # `wait_closed` of Python 3.11 waits for connections only if it is called before `close`.
    emptied = asyncio.ensure_future(listener.wait_closed())
    await asyncio.sleep(0)
    try:
        async with Client("127.0.0.1", listener.sockets[0].getsockname()[1], path) as client:
            yield client
    finally:
        listener.close()
        async with asyncio.timeout(TIMEOUT_S):
            await emptied
        loop.set_exception_handler(None)
    assert not faults, faults
