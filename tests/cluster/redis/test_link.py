from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

from chatd.cluster.redis import link as module
from chatd.cluster.redis.link import MAX_WAITING_BYTES, Link
from chatd.cluster.redis.wire import Command, Subscription, Wire
from tests.cluster.redis.recorder import CHANNEL, SOON_S
from tests.cluster.redis.server import RedisServer

SUBSCRIPTION = Subscription((CHANNEL,))
FAST = mock.patch.object(module, "CHECK_S", 0.05)


class Handler:
    def __init__(self) -> None:
        self.subscribed = asyncio.Event()
        self.heard: list[bytes] = []

    def on_subscribed(self) -> None:
        self.subscribed.set()

    def on_message(self, channel: bytes, data: bytes) -> None:
        self.heard.append(data)


@contextlib.asynccontextmanager
async def linked(server: RedisServer) -> AsyncIterator[Link]:
    handler = Handler()
    wire = Wire(server.address(), SUBSCRIPTION)
    _, link = await asyncio.get_running_loop().create_unix_connection(lambda: Link(wire, handler), str(server.path))
    try:
        async with asyncio.timeout(SOON_S):
            await handler.subscribed.wait()
        yield link
    finally:
        link.end("the test is over")


async def ended(link: Link) -> str:
    async with asyncio.timeout(SOON_S):
        return await link.ended


async def test_nothing_is_published_before_the_subscription_or_after_the_end(server: RedisServer) -> None:
    assert not Link(Wire(server.address(), SUBSCRIPTION), Handler()).publish(CHANNEL, b"a")
    async with linked(server) as link:
        assert link.publish(CHANNEL, b"a")
        link.end("first")
        link.end("second")
        assert await ended(link) == "first"
        assert not link.publish(CHANNEL, b"a")


async def test_an_idle_connection_is_pinged_and_stays_open(server: RedisServer) -> None:
    with FAST:
        async with linked(server) as link:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10 * module.SILENT_CHECKS * module.CHECK_S):
                    await asyncio.shield(link.ended)
            assert not link.ended.done()


async def test_the_connection_to_a_suspended_server_is_closed(server: RedisServer) -> None:
    with FAST:
        async with linked(server) as link:
            with server.standing_still():
                assert await ended(link) == "nothing came for seconds"


async def test_the_connection_to_a_silent_server_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "mute.sock"
    with FAST, socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        wire = Wire(RedisServer(tmp_path).address(), SUBSCRIPTION)
        _, link = await asyncio.get_running_loop().create_unix_connection(lambda: Link(wire, Handler()), str(path))
        assert await ended(link) == "nothing came for seconds"


async def test_a_process_that_was_suspended_keeps_its_connection(server: RedisServer) -> None:
    with FAST:
        async with linked(server) as link:
            time.sleep(3 * module.SILENT_CHECKS * module.CHECK_S)  # noqa: ASYNC251  the process stands still
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * module.SILENT_CHECKS * module.CHECK_S):
                    await asyncio.shield(link.ended)
            assert not link.ended.done()


async def test_frames_waiting_for_a_suspended_server_are_bounded(server: RedisServer) -> None:
    frame = bytes(100_000)
    async with linked(server) as link:
        with server.standing_still():
            taken = 0
            while link.publish(CHANNEL, frame):
                taken += 1
                assert taken * len(frame) < 2 * MAX_WAITING_BYTES
            assert taken * len(frame) > MAX_WAITING_BYTES / 2


async def test_a_frame_over_the_bound_is_sent_alone(server: RedisServer) -> None:
    async with linked(server) as link:
        assert link.publish(CHANNEL, bytes(2 * MAX_WAITING_BYTES))
        with server.standing_still():
            assert not all(link.publish(CHANNEL, bytes(MAX_WAITING_BYTES)) for _ in range(3))


async def test_a_server_that_dies_ends_the_connection(server: RedisServer) -> None:
    async with linked(server) as link:
        server.kill()
        assert await ended(link)


async def test_redis_answers_commands(server: RedisServer) -> None:
    """PUBSUB NUMSUB and INFO, as N-39 needs them."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    Link(Wire(server.address(), SUBSCRIPTION), Handler()).ask(heard.put_nowait, Command.INFO, "server")
    async with linked(server) as link, asyncio.timeout(SOON_S):
        link.ask(heard.put_nowait, Command.PUBSUB, "NUMSUB", CHANNEL)
        link.ask(heard.put_nowait, Command.PUBSUB, "NONSENSE")
        link.ask(heard.put_nowait, Command.INFO, "server")
        assert await heard.get() == [CHANNEL.encode(), 1]
        assert await heard.get() is None
        assert b"run_id:" in await heard.get()
    link.ask(heard.put_nowait, Command.INFO, "server")
    assert heard.empty()
