"""Two nodes on a real Redis that fails in several ways."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Final
from unittest import mock

import pytest

from chatd.cluster.redis import link
from chatd.cluster.redis.address import RedisAddress
from tests.cluster.redis.recorder import Recorder, connected, trying
from tests.cluster.redis.server import RedisServer


async def test_every_node_gets_all_frames_in_order_including_its_own(server: RedisServer) -> None:
    async with connected(server.address(), server.address()) as (one, other):
        frames = [bytes([number, 13, 10, 0]) for number in range(100)]
        one.publish(*frames)
        await one.until_heard(*frames)
        await other.until_heard(*frames)
        assert one.bus.counters.published == other.bus.counters.received == 100
        assert one.bus.fault is None


async def test_all_frames_of_a_turn_are_one_write(server: RedisServer) -> None:
    async with connected(server.address()) as (one,):
        for number in range(50):
            one.publish(b"%d" % number)
        await one.until(lambda: len(one.heard) == 50)
        assert one.asked == 1
        one.publish(b"next turn")
        await one.until_heard(b"next turn")
        assert one.asked == 2


async def test_an_outage_of_redis_calls_on_down_and_on_up(server: RedisServer) -> None:
    async with connected(server.address(), server.address()) as (one, other):
        server.kill()
        await one.until_down()
        await other.until_down()
        assert one.bus.fault is not None
        one.publish(b"lost")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert one.bus.counters.dropped == 1
        server.start()
        await one.until_up(2)
        await other.until_up(2)
        one.publish(b"heard")
        await other.until_heard(b"heard")
        assert other.heard == [b"heard"]
        assert other.told == ["up", "down", "up"]
        assert other.bus.client.outages == 1


async def test_a_missing_redis_is_retried(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        one = Recorder(server.address())
        async with trying(one) as attempts:
            await attempts.fail(3)
            assert one.bus.fault == "No such file or directory"
            assert one.told == []
            server.start()
            await one.until_up()
            assert one.bus.client.outages == 0


async def test_a_suspended_redis_is_an_outage_although_its_connections_are_open(server: RedisServer) -> None:
    with mock.patch.object(link, "CHECK_S", 0.05):
        async with connected(server.address()) as (one,):
            with server.standing_still():
                await one.until_down()
                assert one.bus.fault == "nothing came for seconds"
            await one.until_up(2)
            one.publish(b"heard")
            await one.until_heard(b"heard")


async def test_a_node_that_does_not_get_its_own_frames_reconnects(server: RedisServer) -> None:
    async with connected(server.address()) as (one,):
        one.bus.reconnect()
        await one.until_down()
        assert one.bus.fault == "own messages do not come back"
        await one.until_up(2)


async def test_a_client_disconnected_by_redis_reconnects(server: RedisServer) -> None:
    async with connected(server.address(), server.address()) as (one, _):
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(b"CLIENT KILL TYPE pubsub\r\n")
        assert await reader.readline() == b":2\r\n"
        writer.close()
        await one.until_down()
        await one.until_up(2)


async def refusal(address: RedisAddress) -> str | None:
    """The reason for which Redis refuses a node."""
    one = Recorder(address)
    async with trying(one) as attempts:
        await attempts.fail(2)
        assert one.told == []
        return one.bus.fault


ACL: Final = """
user default on >other ~* &* +@all
user chat on >secret ~* &chatd +@all
user mute on >secret ~* resetchannels +@all
"""


async def test_a_refused_login_is_logged_with_its_reason_and_without_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acl = tmp_path / "users.acl"
    acl.write_text(ACL)
    caplog.set_level(logging.DEBUG)
    with RedisServer(tmp_path, "--aclfile", str(acl)) as server:
        server.start()
        assert "NOAUTH" in str(await refusal(server.address()))
        assert "WRONGPASS" in str(await refusal(server.address(user="chat", password="secrets")))
        assert "NOPERM" in str(await refusal(server.address(user="mute", password="secret")))
        assert "out of range" in str(await refusal(server.address(user="chat", password="secret", database=99)))
        async with connected(server.address(user="chat", password="secret", database=3)) as (one,):
            one.publish(b"heard")
            await one.until_heard(b"heard")
    logged = str([vars(record) for record in caplog.records])
    assert "WRONGPASS" in logged
    assert "secret" not in logged


async def test_repeated_failures_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with trying(Recorder(RedisServer(tmp_path).address())) as attempts:
        await attempts.fail(10)
    assert [record.message for record in caplog.records] == ["bus down"]


async def test_a_closed_bus_makes_no_more_calls(server: RedisServer) -> None:
    async with connected(server.address()) as (one,):
        await one.bus.close()
        one.publish(b"lost")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert one.told == ["up"]
        assert one.bus.counters.dropped == 1
        await one.bus.close()


async def test_the_bus_works_over_tcp(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--port", str(free_port())) as server:
        server.start()
        port = int(server._options[1])
        async with connected(RedisAddress("127.0.0.1", port), RedisAddress("localhost", port)) as (one, other):
            one.publish(b"heard")
            await other.until_heard(b"heard")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
