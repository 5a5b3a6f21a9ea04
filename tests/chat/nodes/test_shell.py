"""The state machine of a node, with a real bus and a real database."""

from __future__ import annotations

import msgspec
import pytest

from chatd.chat.nodes import shell as module
from chatd.chat.nodes.people import Here, Of
from chatd.cluster.core.frame import News
from chatd.cluster.core.vector import MS_SHIFT
from chatd.store.base import Message, MessageId
from chatd.store.doubt import Doubt
from tests.chat.nodes.rig import hearers, shells, until
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase, change


async def test_a_node_delivers_the_messages_of_another_in_order(base: PostgresBase, redis: RedisServer) -> None:
    """N-05"""
    async with hearers(base, redis) as (one, two):
        said = [str(number) for number in range(100)]
        for text in said:
            one.say(text)
        await until(lambda: len(two.texts) >= len(said))
        assert (two.texts, one.texts, two.shell.healed) == (said, [], 0)


async def test_during_an_outage_of_redis_rows_are_read_by_pages(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-07, N-17"""
    monkeypatch.setattr(module, "PAGE_ROWS", 8)
    async with hearers(base, redis) as (one, two):
        redis.kill()
        await until(lambda: not two.shell.bus_is_up)
        assert two.shell.fault is not None
        said = [str(number) for number in range(30)]
        for text in said:
            one.say(text)
        await until(lambda: len(two.texts) >= len(said))
        assert two.texts == said
        assert two.shell.healed == len(said)
        redis.start()
        await until(lambda: one.shell.bus_is_up and two.shell.bus_is_up)
        one.say("again")
        await until(lambda: two.texts[-1] == "again")
        assert two.texts == [*said, "again"]


async def test_an_unreadable_frame_is_dropped(base: PostgresBase, redis: RedisServer) -> None:
    """N-17: a frame that is too long is not decoded."""
    async with hearers(base, redis) as (one, two):
        for broken in (b"\x96\x01", b"no frame", bytes([0x96, 1]) + bytes(module.MAX_FRAME_BYTES)):
            two.shell.on_message(broken)
        assert dict(two.shell.traffic())["broken"] == 3
        one.say("hola")
        await until(lambda: two.texts == ["hola"])


async def test_a_frame_with_this_node_s_number_ends_it_only_if_the_database_confirms(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-03"""
    async with hearers(base, redis) as (one, two):
        ended: list[bool] = []
        monkeypatch.setattr(one.shell, "_end", lambda: ended.append(True))
        looked: list[bool] = []
        has_place = one.shell.store.has_place

        async def look() -> bool:
            looked.append(await has_place())
            return looked[-1]

        monkeypatch.setattr(one.shell.store, "has_place", look)
        number = one.shell.node.number
        epoch = one.shell.epoch + (1 << MS_SHIFT)
        forged = one.shell._encode(News[Message](number, epoch, epoch, epoch, epoch, []))
        one.shell.on_message(forged)
        await until(lambda: looked == [True])
        two.say("hola")
        await until(lambda: one.texts == ["hola"])
        assert (ended, one.shell.is_displaced) == ([], False)
        change(base, f"UPDATE nodos SET epoca = epoca + 1 WHERE nodo = {number}")
        one.shell.on_message(forged)
        await until(lambda: ended == [True])
        assert one.shell.is_displaced


async def test_a_frame_that_raises_is_dropped(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """N-17"""
    async with hearers(base, redis) as (one, two):
        with monkeypatch.context() as broken:
            broken.setattr(two.shell, "_give", None)
            one.say("lost")
            await until(lambda: two.shell.failed > 0)
        one.say("hola")
        await until(lambda: "hola" in two.texts)
        assert dict(two.shell.traffic())["failed"] == two.shell.failed
        assert "a frame could not be taken" in caplog.messages


async def test_presence_is_accepted_only_from_the_process_that_owns_the_number(
    base: PostgresBase, redis: RedisServer
) -> None:
    """N-42"""
    async with hearers(base, redis) as (one, two):
        epoch = int(two.shell.epoch)
        people = one.shell.peers.people
        for at, sockets in ((epoch - 1, 0), (epoch + 1, 0), (epoch, 1)):
            one.shell.on_message(msgspec.msgpack.encode(Here(2, at, False, False, {"ana": Of(1, False)})))
            assert people.sockets_on([2], "ana") == sockets


async def test_no_position_is_published_while_a_commit_is_in_doubt(base: PostgresBase, redis: RedisServer) -> None:
    """P-11: other nodes would take the stored row for a message that they already have."""
    async with shells(base, redis, count=1) as (one,):
        assert one._promise() is not None
        one.store.doubt = Doubt([MessageId(1)])
        assert one._promise() is None


async def test_a_node_that_loses_its_number_ends_once(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-03"""
    async with shells(base, redis, count=1) as (one,):
        ended: list[bool] = []
        monkeypatch.setattr(one, "_end", lambda: ended.append(True))
        one.store.usurped = True
        one.start()
        one._tick()
        assert (ended, one.is_displaced) == ([True], True)
