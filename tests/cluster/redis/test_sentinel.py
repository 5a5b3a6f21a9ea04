"""Finding the master by Sentinels: real ones, and servers that are none. N-18"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.cluster.redis import sentinel
from chatd.cluster.redis.address import RedisAddress, parse_address
from chatd.cluster.redis.sentinel import MAX_ANSWER_BYTES, SentinelError, Sentinels
from tests.cluster.redis.recorder import Recorder, connected, trying
from tests.cluster.redis.sentinel import watched


async def test_the_master_is_found_before_and_after_a_failover(tmp_path: Path) -> None:
    with watched(tmp_path) as there:
        found = Sentinels(parse_address(there.url))
        assert (await found.master()).port == there.master
        async with connected(parse_address(there.url), parse_address(there.url)) as (one, other):
            there.kill(there.master)
            await asyncio.to_thread(there.until_promoted)
            await one.until_up(2)
            await other.until_up(2)
            one.publish(b"after it")
            await other.until_heard(b"after it")
        assert (await found.master()).port == there.replica
        there.kill(there.port)
        with pytest.raises(SentinelError, match=r"no Sentinel knows where chat is: 127.0.0.1: .*; 127.0.0.1: .*"):
            await found.master()


async def test_a_replica_is_not_taken_for_the_master(tmp_path: Path) -> None:
    """A replica would publish only to its own subscribers."""
    with watched(tmp_path) as there:
        answer = f"*2\r\n$9\r\n127.0.0.1\r\n${len(str(there.replica))}\r\n{there.replica}\r\n"
        async with answering(answer.encode()) as port:
            recorder = Recorder(RedisAddress(sentinels=(("127.0.0.1", port),), master="chat"))
            async with trying(recorder) as attempts:
                await attempts.fail()
                assert recorder.bus.client.fault == "it is a replica, and not the master that a Sentinel took it for"
        assert recorder.told == []


async def test_an_unknown_master_name_is_an_error(tmp_path: Path) -> None:
    with watched(tmp_path) as there:
        address = RedisAddress(sentinels=(("127.0.0.1", there.port), ("127.0.0.1", there.master)), master="other")
        with pytest.raises(SentinelError, match=r"it knows no master of that name; 127.0.0.1: ERR unknown command"):
            await Sentinels(address).master()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Sentinel: "),
        (b"$%d\r\n" % (2 * MAX_ANSWER_BYTES) + bytes(2 * MAX_ANSWER_BYTES), "an answer too long"),
        (b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", "a"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"*2\r\n", "no answer"),
        (b"", "no answer"),
    ],
)
async def test_an_invalid_answer_of_a_sentinel_is_an_error(
    answer: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinel, "ANSWER_S", 0.2)
    async with answering(answer) as port:
        with pytest.raises(SentinelError, match=said):
            await Sentinels(RedisAddress(sentinels=(("127.0.0.1", port),), master="chat")).master()


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server that sends `answer` to every client, and keeps the connection open."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        over.set()
