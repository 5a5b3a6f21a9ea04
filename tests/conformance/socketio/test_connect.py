"""Joining a namespace: rows S01 to S06, S20 and S21."""

from __future__ import annotations

from typing import Final

import pytest

from chatd.engineio.reasons import CloseReason
from tests.conformance.socketio.app import App, running
from tests.conformance.socketio.peers import Peer, answer, connected, join
from tests.conformance.tables import EARLY, STRAY
from tests.conformance.wire import Client

TIMEOUT_S: Final = 0.5
"""The time to join: long enough to send a message before it ends, on a busy machine too."""


async def test_a_client_joins_with_and_without_a_payload(app: App, peer: Peer) -> None:
    """S-17; The protocol's own suite"""
    main = await answer(peer, "0")
    custom = await answer(peer, '0/custom,{"token":"abc"}')
    assert (app.guest().socket.id, app.guest("/custom").socket.id) == (main, custom)
    assert (app.guest().auth, app.guest("/custom").auth) == ({}, {"token": "abc"})


@pytest.mark.parametrize("connect", ["0/custom", "0/custom,", "0/custom,{}", '0/custom,12{"a":1}'])
async def test_a_connect_may_end_with_its_namespace(app: App, peer: Peer, connect: str) -> None:
    """S-03; Section 2.1"""
    await peer.say(connect)
    assert str(await peer.hear()).startswith('0/custom,{"sid":"')


@pytest.mark.parametrize("connect", ["0/,", "0/", "012", "0{}"])
async def test_the_main_namespace_may_be_named(app: App, peer: Peer, connect: str) -> None:
    """S-03; Section 2.1"""
    await peer.say(connect)
    assert str(await peer.hear()).startswith('0{"sid":"')


@pytest.mark.parametrize("connect", ["0null", "0[]", '0"x"', "0{", "0/custom,null", "0/custom,[]"])
async def test_a_payload_must_be_an_object(peer: Peer, connect: str) -> None:
    """S-05; S01"""
    await peer.say(connect)
    await peer.ended()


@pytest.mark.parametrize("name", ["/nope", "/custom/", "/custom?a=b", "/Custom", "//", "/__proto__"])
async def test_an_unknown_namespace_is_refused(peer: Peer, name: str) -> None:
    """S-19; S02"""
    await peer.say(f"0{name},")
    assert await peer.hear() == f'4{name},{{"message":"Invalid namespace"}}'
    await join(peer)


async def test_a_refusal_has_a_reason_and_a_client_may_retry(app: App, peer: Peer) -> None:
    """S-15; S03"""
    await peer.say('0/auth,{"token":"bad"}')
    assert await peer.hear() == '4/auth,{"message":"not allowed","data":{"code":42}}'
    await answer(peer, '0/auth,{"token":"good"}')
    assert len(app.guests["/auth"]) == 1


async def test_a_second_connect_ends_the_session(app: App, peer: Peer) -> None:
    """S-18; S04"""
    await join(peer)
    await peer.say("0")
    await peer.ended()
    assert await app.guest().end() is CloseReason.FORCED_CLOSE


async def test_a_second_connect_while_the_first_waits_ends_the_session(app: App, peer: Peer) -> None:
    """S-18; S04, where the reference makes two sockets"""
    await peer.say("0/slow,", "0/slow,")
    await peer.ended()
    await app.client.settled()
    assert all(knock.cancelled() for knock in app.knocks)
    assert not app.server.namespaces["/slow"].sockets
    assert len(app.server.tasks) == 0


async def test_a_connect_may_be_accepted_late(app: App, peer: Peer) -> None:
    """S-17"""
    await peer.say("0/slow,")
    await app.client.settled()
    await join(peer, "/custom")
    app.knocks[0].set_result(None)
    assert str(await peer.hear()).startswith('0/slow,{"sid":"')


@pytest.mark.parametrize("early", EARLY)
async def test_a_packet_before_the_connect_ends_the_session(peer: Peer, early: str | bytes) -> None:
    """S-16; S05"""
    await peer.say(early)
    await peer.ended()


@pytest.mark.parametrize("stray", STRAY)
async def test_a_packet_for_a_namespace_that_was_not_joined_ends_the_session(app: App, peer: Peer, stray: str) -> None:
    """S-16; S06"""
    await join(peer)
    await peer.say(stray)
    await peer.ended()
    assert await app.guest().end() is CloseReason.FORCED_CLOSE


async def test_an_event_during_a_pending_connect_ends_the_session(app: App, peer: Peer) -> None:
    """S-16; Section 2.3"""
    await peer.say("0/slow,", '2/slow,["x"]')
    await peer.ended()
    assert app.guests["/slow"] == []


async def test_a_client_may_rejoin_a_namespace(app: App, peer: Peer) -> None:
    """S-24; S20"""
    (first,) = await join(peer)
    await peer.say("1")
    (second,) = await join(peer)
    assert first != second
    assert app.guest().socket.id == second


@pytest.mark.parametrize("refused", [None, "0/nope,", "0/auth,", "0/slow,"])
async def test_a_session_that_joins_no_namespace_in_time_is_closed(transport: str, refused: str | None) -> None:
    """S-14; S21"""
    async with running(connect_timeout_s=TIMEOUT_S) as app:
        peer = await connected(app.client, transport)
        if refused is not None:
            await peer.say(refused)
        if refused in ("0/nope,", "0/auth,"):
            assert str(await peer.hear()).startswith("4")
        await peer.ended()


async def test_a_session_that_has_joined_once_may_stay(transport: str) -> None:
    """S-14; S21"""
    async with running(connect_timeout_s=TIMEOUT_S) as app:
        peer = await connected(app.client, transport)
        await join(peer)
        await peer.say("1")
        await outlived(app.client)
        await join(peer)


async def outlived(client: Client) -> None:
    """Open a session, and wait until the server closes it: older sessions would have been closed before."""
    await (await connected(client, "websocket")).ended()
