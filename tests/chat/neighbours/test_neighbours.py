"""A chat on a manual clock, with a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.neighbours.neighbours import Neighbours
from chatd.chat.neighbours.telling import RESUME_S
from chatd.cluster.adapter.faults import Fault
from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.client import RedisClient
from chatd.cluster.redis.wire import Subscription
from tests.chat.neighbours.test_answering import BOUNDS
from tests.chat.rig import Rig, who
from tests.cluster.redis.server import RedisServer

SOON_S = 20.0


class Listener:
    """Another subscriber of that Redis."""

    def __init__(self, address: RedisAddress) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.client = RedisClient("listener", address, Subscription(("key-response#/#",), ("key#/#",)), self)

    def on_up(self) -> None: ...

    def on_down(self) -> None: ...

    def on_message(self, channel: bytes, data: bytes) -> None:
        self.heard.append((channel.decode(), data))


class Side:
    """A chat with its adapter, and a subscriber of its channels."""

    def __init__(self, server: RedisServer, key: bytes = b"a chat") -> None:
        self.rig = Rig()
        self.neighbours = Neighbours(
            server.address(), ChatConfig(bus_adapter_key="key"), BOUNDS, "/socket.io/", secure=False
        )
        self.rig.store.recovery_key = key
        self.part = self.neighbours.join(self.rig.chat, self.rig.recovery)
        self.listener = Listener(server.address())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not condition():  # noqa: ASYNC110  # counters ring no bell
                await asyncio.sleep(0)

    async def until_up(self) -> None:
        await self.until(lambda: self.neighbours.is_up and self.listener.client.fault is None)

    async def close(self) -> None:
        await self.part.close()
        await self.listener.client.close()


@contextlib.asynccontextmanager
async def started(server: RedisServer, key: bytes = b"a chat") -> AsyncIterator[Side]:
    side = Side(server, key)
    side.part.start()
    side.listener.client.start()
    try:
        yield side
    finally:
        await side.close()


def write(side: Side, user: str = "ana", para: str = "root") -> None:
    side.rig.enter(who(user)).emit("mensaje_privado", {"para": para, "mensaje": "hola"})


async def test_each_message_is_published_once_in_order(tmp_path: Path) -> None:
    """N-32"""
    with RedisServer(tmp_path) as server:
        server.start()
        async with started(server) as side:
            await side.until_up()
            write(side)
            await side.until(lambda: bool(side.listener.heard))
            [(channel, data)] = side.listener.heard
            assert channel == "key#/#"
            uid, packet, options = msgspec.msgpack.decode(data)
            assert uid.startswith("chatd-")
            assert packet == {"type": 2, "data": ["mensaje_recibido", {"de": "ana", "mensaje": "hola"}], "nsp": "/"}
            assert options == {"rooms": ["user:root", "admins"], "except": [], "flags": {}}
            assert dict(side.neighbours.traffic()) == {
                "told": 1,
                "dropped": 0,
                "received": 0,
                "taken": 0,
                "answered": 0,
            }


async def test_daemons_of_one_chat_ignore_each_other_and_other_chats_do_not(tmp_path: Path) -> None:
    """N-32"""
    with RedisServer(tmp_path) as server:
        server.start()
        async with started(server) as one, started(server) as same, started(server, b"another") as other:
            for side in (one, same, other):
                await side.until_up()
            lines = [side.rig.enter(who("root", "admin")) for side in (one, same, other)]
            write(one)
            await other.until(lambda: other.neighbours.received == 1)
            other.rig.turn()
            assert [event[0] for event in lines[2].events if event[0] == "mensaje_recibido"] == ["mensaje_recibido"]
            server.publish("key#/#", b"\xc1")
            await same.until(lambda: same.neighbours.received == 1)
            assert same.neighbours.refusals.counts[Fault.UNREADABLE] == 1


async def test_only_the_origin_node_publishes_its_messages(tmp_path: Path) -> None:
    """N-32"""
    side = Side(RedisServer(tmp_path))
    write(side)
    side.rig.store.rows[0] = msgspec.structs.replace(side.rig.store.rows[0], id=side.rig.store.rows[0].id + (1 << 12))
    side.rig.chat.messages._deliver(side.rig.store.rows[0], None)
    assert len(side.neighbours._teller._waiting) == 1


async def test_after_an_outage_messages_are_published_when_others_have_reconnected(tmp_path: Path) -> None:
    """N-39"""
    with RedisServer(tmp_path) as server:
        async with started(server) as side:
            await side.until(lambda: side.neighbours._client.failures > 0)
            write(side)
            server.start()
            await side.until_up()
            assert side.neighbours._teller.told == 0
            side.rig.pass_seconds(RESUME_S + 0.2)
            await side.until(lambda: len(side.listener.heard) == 1)


async def test_answers_are_published_to_the_response_channel(tmp_path: Path) -> None:
    """N-36"""
    with RedisServer(tmp_path) as server:
        server.start()
        async with started(server) as side:
            await side.until_up()
            server.publish("key-request#/#", b'{"uid":"x","requestId":"q","type":1}')
            await side.until(lambda: bool(side.listener.heard))
            assert side.listener.heard == [("key-response#/#", b'{"requestId":"q","rooms":[]}')]


CHANNELS: Final = "&key#/#* &key-request#/# &key-response#/#"


@pytest.mark.parametrize(("channels", "is_enough"), [(CHANNELS, True), ("&key*", False), ("&key#/#*", False)])
async def test_a_user_of_redis_needs_three_channels(tmp_path: Path, channels: str, *, is_enough: bool) -> None:
    """N-30"""
    acl = tmp_path / "users.acl"
    acl.write_text(f"user default on nopass ~* &* +@all\nuser chat on >secret resetchannels {channels} +@all\n")
    with RedisServer(tmp_path, "--aclfile", str(acl)) as server:
        server.start()
        config, address = ChatConfig(bus_adapter_key="key"), server.address(user="chat", password="secret")
        side = Side(server)
        side.neighbours = Neighbours(address, config, BOUNDS, "/socket.io/", secure=False)
        side.part = side.neighbours.join(side.rig.chat, side.rig.recovery)
        side.part.start()
        side.listener.client.start()
        await side.until(lambda: side.neighbours.is_up or side.neighbours._client.failures > 1)
        if is_enough:
            await side.until_up()
            write(side)
            server.publish("key-request#/#", b'{"uid":"x","requestId":"q","type":1}')
            await side.until(lambda: len(side.listener.heard) == 2)
        else:
            assert "NOPERM" in str(side.neighbours._client.fault)
        await side.close()


async def test_an_exception_does_not_close_the_connection(tmp_path: Path) -> None:
    """N-34"""
    side = Side(RedisServer(tmp_path))
    side.neighbours._taker = None  # type: ignore[assignment]  # the bug
    side.neighbours.on_message(b"key#/#", b"whatever")
    side.neighbours.on_message(b"\xff", b"whatever")
    assert side.neighbours.refusals.counts[Fault.UNREADABLE] == 1
