"""Counters of limits of the Socket.IO layer, and of ended sessions."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.reasons import CloseReason
from tests.conformance.socketio.app import QUIET, App, running
from tests.conformance.socketio.peers import connected, join
from tests.conformance.wire import TIMEOUT_S


def refused(app: App) -> dict[str, int]:
    """The counters of the limits that were reached."""
    return {limit.value: count for limit, count in app.server.refusals.counts.items() if count}


def ended(app: App) -> dict[CloseReason, int]:
    """The number of ended sessions, by reason."""
    return {reason: count for reason, count in app.server.ended.items() if count}


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_depth", '2["x",[[[[]]]]]'),
        ("max_depth", '2["x",' + "[" * 5_000 + "]" * 5_000 + "]"),
        ("max_depth", '2["\\ud83d",' + "[" * 5_000 + "]" * 5_000 + "]"),
        ("containers", '2["x",' + "[" * 100_000 + "]" * 100_000 + "]"),
        ("containers", '2["x"' + ",[]" * 10_000 + "]"),
        ("containers", '2["x"' + ",1" * 50_000 + "]"),
        ("max_attachments", '53-["x",{"_placeholder":true,"num":0}]'),
        ("max_attachments", '5999999-["x"]'),
    ],
)
async def test_a_packet_over_a_limit(transport: str, limit: str, said: str) -> None:
    """S-08, S-09"""
    async with running(max_depth=4, max_attachments=2) as app:
        peer = await connected(app.client, transport)
        await join(peer)
        await peer.say(said)
        await peer.ended()
        assert (refused(app), ended(app)) == ({limit: 1}, {CloseReason.FORCED_CLOSE: 1})


@pytest.mark.parametrize("said", ['50-["x"]', '5-["x"]', '2["x"', '2["x",'])
async def test_a_malformed_packet_is_counted_for_no_limit(transport: str, said: str) -> None:
    """S-05, S-09"""
    async with running() as app:
        peer = await connected(app.client, transport)
        await join(peer)
        await peer.say(said)
        await peer.ended()
        assert (refused(app), ended(app)) == ({}, {CloseReason.FORCED_CLOSE: 1})


async def test_a_client_that_joins_no_namespace(transport: str) -> None:
    """S-14"""
    async with running(connect_timeout_s=0.1) as app:
        peer = await connected(app.client, transport)
        await peer.ended()
        assert (refused(app), ended(app)) == ({"connect_timeout": 1}, {CloseReason.FORCED_CLOSE: 1})


async def test_a_client_in_too_many_namespaces(transport: str) -> None:
    """L-07"""
    async with running(max_namespaces=1) as app:
        peer = await connected(app.client, transport)
        await join(peer)
        await peer.say("0/custom,")
        assert str(await peer.hear()).startswith("4/custom,")
        assert (refused(app), ended(app)) == ({"max_namespaces": 1}, {})


async def test_a_polling_session_that_does_not_poll() -> None:
    """E-21: it is closed after interval and timeout, like a session that does not answer a ping."""
    async with running(EngineConfig(ping_interval_s=0.5, ping_timeout_s=0.1)) as app:
        peer = await connected(app.client, "polling")
        await join(peer)
        async with asyncio.timeout(TIMEOUT_S):
            assert await app.guest().end() is CloseReason.PING_TIMEOUT
        assert ended(app) == {CloseReason.PING_TIMEOUT: 1}
        assert not app.engine.sessions


async def test_a_client_that_is_refused_too_often(transport: str) -> None:
    """L-15: each CONNECT is refused, and then the session ends"""
    async with running(max_refused=3) as app:
        peer = await connected(app.client, transport)
        for _ in range(4):
            await peer.say("0/nowhere,")
            assert await peer.hear() == '4/nowhere,{"message":"Invalid namespace"}'
        await peer.ended()
        assert (refused(app), ended(app)) == ({"max_refused": 1}, {CloseReason.FORCED_CLOSE: 1})


async def test_a_client_that_joins_may_be_refused_again(transport: str) -> None:
    """L-15"""
    async with running(max_refused=1) as app:
        peer = await connected(app.client, transport)
        await peer.say("0/nowhere,")
        await peer.hear()
        await join(peer)
        await peer.say("0/nowhere,")
        assert await peer.hear() == '4/nowhere,{"message":"Invalid namespace"}'
        assert (refused(app), ended(app)) == ({}, {})


async def test_waiting_attachments_have_a_budget() -> None:
    """L-12: each of them is a whole message, but the packet is unfinished"""
    async with running(dataclasses.replace(QUIET, max_unfinished_per_client_bytes=100_000)) as app:
        peer = await connected(app.client, "websocket")
        await join(peer)
        unfinished = app.engine.connections.unfinished
        await peer.say('53-["x"' + ',{"_placeholder":true,"num":%d}' * 3 % (0, 1, 2) + "]")
        for _ in range(2):
            await peer.say_packets(bytes(60_000))
        await peer.ended()
        assert app.engine.refusals.counts[Limit.MAX_UNFINISHED_PER_CLIENT] == 1
        async with asyncio.timeout(TIMEOUT_S):
            while unfinished.total_bytes:  # includes data that its connection was still sending
                await app.client.settled()


async def test_a_packet_that_waits_for_its_attachments_has_a_budget() -> None:
    """L-12: also before the first attachment; a text with one wide character takes four times its length"""
    async with running(dataclasses.replace(QUIET, max_unfinished_per_client_bytes=100_000)) as app:
        peer = await connected(app.client, "websocket")
        await join(peer)
        await peer.say('51-["x",{"_placeholder":true,"num":0},"%s"]' % ("x" * 30_000 + "\N{PACKAGE}"))
        await peer.ended()
        assert app.engine.refusals.counts[Limit.MAX_UNFINISHED_PER_CLIENT] == 1
        assert app.engine.connections.unfinished.total_bytes == 0
