"""Sockets that reconnect to another node."""

from __future__ import annotations

import json
from time import monotonic

import pytest

from chatd.chat.nodes import recovery
from chatd.chat.recovery.replay import PORTION_BYTES
from chatd.cluster.core.position import encode
from chatd.cluster.core.vector import MS_SHIFT
from chatd.engineio.reasons import CloseReason
from tests.chat.nodes.rig import Node, chats, heard, until, write
from tests.chat.rig import Line
from tests.cluster.redis.server import RedisServer
from tests.store.rig import PostgresBase


def pid_of(line: Line) -> str:
    """The pid in the answer to the CONNECT of a line."""
    return str(json.loads(line.received[0].removeprefix("40"))["pid"])


async def test_missed_messages_are_replayed_once_and_in_order_by_another_node(
    base: PostgresBase, redis: RedisServer
) -> None:
    """N-06, N-13"""
    async with chats(base, redis, recovery="on") as (one, two):
        ana, root = await one.join("ana"), await one.join("root", "admin")
        write(root, "ana", "first")
        [[_, offset]] = await heard(ana, "mensaje_recibido")
        ana.close(CloseReason.TRANSPORT_CLOSE)
        for text in ("second", "third"):
            write(root, "ana", text)
        back = await two.join("ana", pid=pid_of(ana), offset=offset)
        [[al_dia, *_]] = await heard(back, "al_dia")
        assert al_dia["completo"] is True
        write(root, "ana", "fourth")
        texts = [args[0]["mensaje"] for args in await heard(back, "mensaje_recibido", 3)]
        assert texts == ["second", "third", "fourth"]


async def test_a_client_that_is_ahead_waits_at_most_a_lease(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-06: the messages that it is ahead by may be lost with their node."""
    monkeypatch.setattr(recovery, "BEHIND_S", 0.3)
    async with chats(base, redis, recovery="on") as (one, two):
        ana = await one.join("ana")
        begun_s = monotonic()
        back = await two.join("ana", pid=pid_of(ana), offset=ahead_of(two))
        await heard(back, "al_dia")
        assert monotonic() >= begun_s + 0.3


async def test_a_session_over_the_bound_of_waiting_messages_is_closed(
    base: PostgresBase, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-17: it reconnects, and sends its position again."""
    monkeypatch.setattr(recovery, "MAX_PACKETS", 3)
    monkeypatch.setattr(recovery, "BEHIND_S", 60.0)
    async with chats(base, redis, recovery="on") as (one, two):
        ana, root = await one.join("ana"), await two.join("root", "admin")
        slow = Line()
        slow.writable, slow.queued_bytes = False, PORTION_BYTES
        back = await two.join("ana", line=slow, pid=pid_of(ana), offset=ahead_of(two))
        for number in range(3):
            write(root, "ana", str(number))
        await until(lambda: two.shell.store.counters.rows >= 3)
        assert back.closed is None
        write(root, "ana", "one more")
        await until(lambda: back.closed is CloseReason.RECONNECT)


def ahead_of(chat: Node) -> str:
    """A position that the node will not reach soon."""
    vector = chat.shell.node.vector
    return encode(vector | {1: vector[1] + (30_000 << MS_SHIFT)})
