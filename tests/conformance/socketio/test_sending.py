"""Packets from the server: recipients, and acknowledgements: rows S22 to S25."""

from __future__ import annotations

import json

import pytest

from chatd.socketio.acks import AckTimeoutError, SocketGoneError
from tests.conformance.socketio.app import App
from tests.conformance.socketio.peers import Peer, PollingPeer, WebSocketPeer, connected, join


async def test_a_client_acknowledges_once(app: App, peer: Peer) -> None:
    """S-20; S22"""
    await join(peer)
    future = app.guest().socket.emit_with_ack("q", 1, timeout_s=5.0)
    assert await peer.hear() == '20["q",1]'
    await peer.say('37["unknown"]', '30["first"]', '30["second"]')
    assert await future == ["first"]
    await peer.say('2["echo"]')
    assert await peer.hear() == '2["echo"]'


async def test_an_acknowledgement_that_comes_too_late_is_ignored(app: App, peer: Peer) -> None:
    """S-22; S22"""
    await join(peer)
    with pytest.raises(AckTimeoutError):
        await app.guest().socket.emit_with_ack("q", timeout_s=0.02)
    assert await peer.hear() == '20["q"]'
    await peer.say('30["late"]', '2["echo"]')
    assert await peer.hear() == '2["echo"]'


async def test_a_disconnected_client_acknowledges_nothing(app: App) -> None:
    """S-22; S22"""
    peer = WebSocketPeer(await app.client.websocket())
    await join(peer)
    future = app.guest().socket.emit_with_ack("q", timeout_s=5.0)
    peer.cut()
    with pytest.raises(SocketGoneError):
        await future


async def test_only_requested_acknowledgements_are_accepted(app: App, peer: Peer) -> None:
    """S-21; S22"""
    other = await connected(app.client, "websocket")
    await join(other)
    future = app.guest().socket.emit_with_ack("q", timeout_s=5.0)
    await join(peer)
    await peer.say('30["forged"]', '2["echo"]')
    assert await peer.hear() == '2["echo"]'
    assert not future.done()
    await other.say('30["true"]')
    assert await future == ["true"]


@pytest.mark.parametrize(
    ("to", "but", "audience"),
    [
        (["r1", "r2"], [], ["r1", "r2", "both"]),
        (["r1"], ["r2"], ["r1"]),
        ([], [], ["r1", "r2", "both", "none"]),
        ([], ["r2"], ["r1", "none"]),
        (["nobody"], [], []),
    ],
)
async def test_an_event_is_sent_once_to_each_socket_in_any_of_the_rooms(
    app: App, transport: str, to: list[str], but: list[str], audience: list[str]
) -> None:
    """S23"""
    peers: dict[str, Peer] = {}
    for name, rooms in {"r1": ["r1"], "r2": ["r2"], "both": ["r1", "r2"], "none": []}.items():
        peers[name] = await connected(app.client, transport)
        await join(peers[name])
        for room in rooms:
            app.guest().socket.join(room)
    app.main.emit("news", to=to, exclude=but)
    app.main.emit("end")
    for name, peer in peers.items():
        expected = ['2["news"]', '2["end"]'] if name in audience else ['2["end"]']
        assert [await peer.hear() for _ in expected] == expected


@pytest.mark.parametrize("bad", [["e", *[b""] * 11], ["connect"], ["disconnecting"], ["e", float("nan")]], ids=str)
async def test_an_event_that_clients_would_refuse_is_not_sent_to_them(app: App, peer: Peer, bad: list[str]) -> None:
    """S-06, S-07, S-09; S24"""
    await join(peer)
    for emit in (app.guest().socket.emit, app.main.emit, app.main.emit_volatile):
        with pytest.raises(ValueError, match=r"\S"):
            emit(*bad)
    app.main.emit("good")
    assert await peer.hear() == '2["good"]'


async def test_a_poll_has_sixteen_packets_at_most(app: App) -> None:
    """E-06; S25: more make python-socketio's client reconnect."""
    session = await app.client.polling()
    await join(PollingPeer(session))
    for number in range(17):
        app.guest().socket.emit("e", number)
    first, second = await session.poll(), await session.poll()
    assert [len(first), len(second)] == [16, 1]
    assert [json.loads(packet[2:])[1] for packet in first + second] == list(range(17))


async def test_an_event_and_its_attachments_may_be_in_two_polls(app: App) -> None:
    """S-10, S-27; S25: attachments are packets of their own."""
    session = await app.client.polling()
    await join(PollingPeer(session))
    for _ in range(15):
        app.guest().socket.emit("e")
    app.guest().socket.emit("binary", b"\x01", b"\x02")
    first, second = await session.poll(), await session.poll()
    assert first[15].startswith('452-["binary",')
    assert second == ["bAQ==", "bAg=="]


async def test_a_volatile_event_is_dropped_between_two_polls(app: App) -> None:
    """Section 2.5"""
    session = await app.client.polling()
    await join(PollingPeer(session))
    app.guest().socket.emit_volatile("lost")
    app.main.emit_volatile("lost")
    pending = await session.begin_get()
    app.guest().socket.emit_volatile("seen")
    assert await pending.packets() == ['42["seen"]']
