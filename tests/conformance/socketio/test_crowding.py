"""The limit of namespaces of one session."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.socketio.app import running
from tests.conformance.socketio.peers import answer, connected, join
from tests.conformance.wire import TIMEOUT_S

FULL = '{"message":"Too many namespaces","data":{"code":"too_many_namespaces"}}'


async def test_a_namespace_over_the_limit_is_refused_until_another_is_left(transport: str) -> None:
    """L-07"""
    async with running(max_namespaces=1) as app:
        peer = await connected(app.client, transport)
        await join(peer)
        await peer.say("0/custom,")
        assert await peer.hear() == f"4/custom,{FULL}"
        await peer.say("1")
        await answer(peer, "0/custom,")
        assert [len(app.guests["/"]), len(app.guests["/custom"])] == [1, 1]


async def test_a_pending_join_counts_for_the_limit(transport: str) -> None:
    """L-07"""
    async with running(max_namespaces=1) as app:
        peer = await connected(app.client, transport)
        await peer.say("0/slow,")
        await peer.say("0")
        assert await peer.hear() == f"4{FULL}"
        app.knocks[0].set_result(None)
        async with asyncio.timeout(TIMEOUT_S):
            assert str(await peer.hear()).startswith('0/slow,{"sid":"')


@pytest.mark.parametrize("limit", [0, 4])
async def test_the_limit_is_a_number_or_off(transport: str, limit: int) -> None:
    """L-07"""
    async with running(max_namespaces=limit) as app:
        peer = await connected(app.client, transport)
        await join(peer, "/", "/custom")
        await answer(peer, '0/auth,{"token":"good"}')
        assert len(app.guests["/auth"]) == 1
