"""An attacker's connection detects its end, and waits while the server does not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bench.fairness.line import EndedError, Line


@contextlib.asynccontextmanager
async def answered(*answers: bytes) -> AsyncIterator[tuple[Line, asyncio.StreamReader]]:
    """A connection to a server that sends these answers one after the other, and reads only on demand."""
    met: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(answer)
            await writer.drain()
        met.set_result((reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1_024)
    line = await Line.open(server.sockets[0].getsockname()[1], "127.0.0.5")
    reader, writer = await met
    try:
        assert writer.get_extra_info("peername")[0] == "127.0.0.5"
        yield line, reader
    finally:
        writer.close()
        server.close()
        await line.cut()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_data_is_read_up_to_a_mark() -> None:
    async with answered(b"HTTP/1.1 200 OK\r\n", b'X: y\r\n\r\n0{"sid":"abc","x":1}40', b'{"sid":"d"}') as (line, _):
        assert await line.sid() == "abc"
        assert await line.until(b"}") == b'40{"sid":"d"}'


async def test_an_unexpected_status_ends_the_connection() -> None:
    async with answered(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as (line, _):
        with pytest.raises(EndedError):
            await line.head(200)


@pytest.mark.parametrize("close", [b"\x88\x00", b"\x88\x02\x03\xf1"])
async def test_a_close_frame_ends_the_connection(close: bytes) -> None:
    async with answered(b"what was before" + close) as (line, _):
        with pytest.raises(EndedError):
            await line.until(b"more")
        with pytest.raises(EndedError):
            await line.send(b"x")


async def test_a_server_that_does_not_read_blocks_the_sender() -> None:
    async with answered() as (line, reader):
        sending = asyncio.create_task(line.send(bytes(20_000_000)))
        _, waiting = await asyncio.wait({sending}, timeout=0.2)
        assert waiting == {sending}
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.readexactly(20_000_000), 20)
        await sending
