"""Every way of leaving: rows S17 to S19 and S26."""

from __future__ import annotations

import json

import pytest

from chatd.engineio.reasons import CloseReason
from chatd.socketio.reasons import LeaveReason
from tests.conformance.socketio.app import App
from tests.conformance.socketio.peers import Message, Peer, PollingPeer, WebSocketPeer, join
from tests.conformance.wire import NO_FRAME

P0 = '{"_placeholder":true,"num":0}'


async def echoed(peer: Peer, namespace: str, number: int) -> None:
    where = "" if namespace == "/" else f"{namespace},"
    await peer.say(f'2{where}["echo",{number}]')
    assert await peer.hear() == f'2{where}["echo",{number}]'


async def test_events_before_a_disconnect_are_handled(app: App, peer: Peer) -> None:
    """S-23; S17, where the reference drops it"""
    await join(peer)
    await peer.say('2["a"]', "1")
    assert await app.guest().end() is LeaveReason.CLIENT_DISCONNECT
    assert app.guest().events == [("a", [])]


async def test_events_before_the_end_of_the_session_are_handled(app: App, peer: Peer) -> None:
    """S-23; S17: python-socketio's client sends both in one request."""
    await join(peer, "/", "/custom")
    await peer.say_packets('42["a"]', "41", "1")
    assert await app.guest().end() is LeaveReason.CLIENT_DISCONNECT
    assert await app.guest("/custom").end() is CloseReason.TRANSPORT_CLOSE
    assert app.guest().events == [("a", [])]


async def test_a_client_leaves_one_namespace_and_keeps_the_other(app: App, peer: Peer) -> None:
    """S-24; The protocol's own suite"""
    await join(peer, "/", "/custom")
    await peer.say("1/custom,")
    await echoed(peer, "/", 1)
    assert await app.guest("/custom").end() is LeaveReason.CLIENT_DISCONNECT
    assert not app.guest().left.done()


@pytest.mark.parametrize("late", [['2["x"]'], ['27["x"]'], ["1"], ["31[]"], [f'51-["x",{P0}]', b"a"]], ids=str)
async def test_packets_in_flight_when_the_server_disconnects_are_ignored(
    app: App, peer: Peer, late: list[Message]
) -> None:
    """S-26; S18, where the reference ends the session"""
    await join(peer, "/", "/custom")
    app.guest().socket.disconnect()
    await peer.say(*late)
    assert await peer.hear() == "1"
    await echoed(peer, "/custom", 1)
    assert await app.guest().end() is LeaveReason.SERVER_DISCONNECT
    assert app.guest().events == []


async def test_the_server_disconnects_between_an_event_and_its_attachment(app: App, peer: Peer) -> None:
    """S-26, S-27; S18"""
    await join(peer, "/", "/custom")
    await peer.say(f'51-["x",{P0}]')
    await app.client.settled()
    app.guest().socket.disconnect()
    await peer.say(b"a")
    assert await peer.hear() == "1"
    await echoed(peer, "/custom", 1)


async def test_the_server_ends_a_session_with_a_disconnect_for_each_namespace(app: App, peer: Peer) -> None:
    """S-28; S19"""
    await join(peer, "/", "/custom")
    app.guest().socket.emit("last words")
    app.guest().socket.disconnect_session()
    assert [await peer.hear() for _ in range(3)] == ['2["last words"]', "1", "1/custom,"]
    await peer.ended()
    for namespace in ("/", "/custom"):
        assert await app.guest(namespace).end() is LeaveReason.SERVER_DISCONNECT


async def test_a_lost_connection_leaves_every_namespace_and_room(app: App) -> None:
    peer = WebSocketPeer(await app.client.websocket())
    await join(peer, "/", "/custom")
    for namespace in ("/", "/custom"):
        app.guest(namespace).socket.join("red")
    peer.cut()
    for namespace in ("/", "/custom"):
        assert isinstance(await app.guest(namespace).end(), CloseReason)
        assert not app.server.namespaces[namespace].sockets
        assert len(app.server.namespaces[namespace].rooms) == 0


async def test_a_lost_poll_leaves_every_namespace(app: App) -> None:
    session = await app.client.polling()
    await join(PollingPeer(session))
    pending = await session.begin_get()
    pending.connection.abort()
    assert await app.guest().end() is CloseReason.TRANSPORT_ERROR
    assert not app.main.sockets


async def test_a_shutdown_closes_clients_so_that_they_reconnect(app: App) -> None:
    """S-25, C-20; S26: after a DISCONNECT they would not reconnect."""
    websocket = await app.client.websocket()
    waiting = await app.client.polling()
    for peer in (WebSocketPeer(websocket), PollingPeer(waiting)):
        await join(peer)
    pending = await waiting.begin_get()
    app.engine.close()
    assert await websocket.closed() == NO_FRAME
    assert await pending.packets() == ["6"]
    assert [await guest.end() for guest in app.guests["/"]] == [CloseReason.SERVER_SHUTTING_DOWN] * 2
    assert not app.main.sockets


async def test_a_session_that_upgrades_keeps_its_sockets(app: App) -> None:
    session = await app.client.polling()
    polling = PollingPeer(session)
    (sid,) = await join(polling)
    await polling.say('2["echo",1]')
    raw = await session.upgrade()
    await raw.send("2probe")
    assert await raw.receive() == "3probe"
    await raw.send("5")
    peer = WebSocketPeer(raw)
    assert await peer.hear() == '2["echo",1]'
    await echoed(peer, "/", 2)
    app.guest().socket.emit("your id", app.guest().socket.id)
    assert json.loads(str(await peer.hear())[1:]) == ["your id", sid]
