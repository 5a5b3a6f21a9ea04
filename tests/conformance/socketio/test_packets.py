"""Valid packets of clients, and packets that end the session: rows S07 to S16."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from chatd.engineio.reasons import CloseReason
from tests.conformance.socketio.app import App
from tests.conformance.socketio.peers import Message, Peer, WebSocketPeer, connected, join
from tests.conformance.tables import LYING_PLACEHOLDERS, MALFORMED, ODD, WRONG_ACK_IDS, WRONG_COUNTS

P0 = '{"_placeholder":true,"num":0}'
P1 = '{"_placeholder":true,"num":1}'


async def still_there(peer: Peer) -> None:
    """The session is open: an event is echoed, and no packet came before."""
    await peer.say('2["echo","there?"]')
    assert await peer.hear() == '2["echo","there?"]'


@pytest.mark.parametrize(
    "args",
    [
        '1,"2",{"3":[true]}',
        "null,false,-0.5,1e-7",
        '"ñandú 👋","\\u0000\\n\\""',
        "[],{},[[],[{}]]",
        "100000000000000000000",
    ],
)
async def test_an_event_is_echoed(peer: Peer, args: str) -> None:
    """The protocol's own suite"""
    await join(peer)
    await peer.say(f'2["echo",{args}]')
    echo = str(await peer.hear())
    assert json.loads(echo[1:]) == ["echo", *json.loads(f"[{args}]")]


async def test_a_lone_surrogate_is_echoed(peer: Peer) -> None:
    """S-07; Section 2.2: JavaScript strings can contain them."""
    await join(peer)
    await peer.say(r'2["echo","\ud83d",{"\udc00":"😀"}]')
    echo = str(await peer.hear())
    assert json.loads(echo[1:]) == ["echo", "\ud83d", {"\udc00": "😀"}]


@pytest.mark.parametrize("packet", MALFORMED)
async def test_a_malformed_packet_ends_the_session(app: App, peer: Peer, packet: str) -> None:
    """S-05, S-29; S07"""
    await join(peer)
    await peer.say(packet)
    await peer.ended()
    assert await app.guest().end() is CloseReason.FORCED_CLOSE


@pytest.mark.parametrize("packet", ODD)
async def test_an_unusual_but_valid_packet_does_not_end_the_session(app: App, peer: Peer, packet: str) -> None:
    """S-06; S08"""
    await join(peer)
    await peer.say(packet)
    await still_there(peer)
    if packet.startswith("2"):
        name, *args = json.loads(packet[1:])
        assert app.guest().events[0] == (name, args)


@pytest.mark.parametrize("packet", WRONG_ACK_IDS)
async def test_an_acknowledgement_id_is_up_to_15_digits(peer: Peer, packet: str) -> None:
    """S-04; S09"""
    await join(peer)
    await peer.say(packet)
    await peer.ended()


@pytest.mark.parametrize(("asked", "answered"), [("007", "7"), ("0", "0"), ("9" * 15, "9" * 15)])
async def test_an_event_is_acknowledged(peer: Peer, asked: str, answered: str) -> None:
    """S-04, S-30; S10"""
    await join(peer)
    await peer.say(f'2{asked}["ack",1]')
    assert await peer.hear() == f"3{answered}[1]"


@pytest.mark.parametrize("packet", WRONG_COUNTS)
async def test_a_binary_packet_announces_one_to_ten_attachments(peer: Peer, packet: str) -> None:
    """S-09; S11"""
    await join(peer)
    await peer.say(packet)
    await peer.ended()


@pytest.mark.parametrize("number", LYING_PLACEHOLDERS)
async def test_an_invalid_placeholder_ends_the_session(app: App, peer: Peer, number: str) -> None:
    """S-11; S12"""
    await join(peer)
    await peer.say(f'51-["e",{{"_placeholder":true,"num":{number}}}]', b"x")
    await peer.ended()
    assert app.guest().events == []


@pytest.mark.parametrize(
    ("messages", "args"),
    [
        ([f'51-["e",{P0}]', b"\x00\xff"], [b"\x00\xff"]),
        ([f'51-["e",{P0},{P0}]', b"x"], [b"x", b"x"]),
        ([f'52-["e",{P0}]', b"x", b"y"], [b"x"]),
        ([f'52-["e",{{"a":[{P1},{P0}]}}]', b"x", b"y"], [{"a": [b"y", b"x"]}]),
        ([f'51-["e",{P0}]', b""], [b""]),
        (['51-["e",{"_placeholder":1,"num":0}]', b"x"], [{"_placeholder": 1, "num": 0}]),
        ([f'2["e",{P0}]'], [{"_placeholder": True, "num": 0}]),
    ],
    ids=str,
)
async def test_attachments_replace_their_placeholders(
    app: App, peer: Peer, messages: list[Message], args: list[object]
) -> None:
    """S-12; S13"""
    await join(peer)
    await peer.say(*messages)
    await still_there(peer)
    assert app.guest().events[0] == ("e", args)


async def test_binary_is_echoed_and_acknowledged(peer: Peer) -> None:
    """S-10, S-30; The protocol's own suite"""
    await join(peer)
    await peer.say(f'52-["echo",{P0},{P1}]', b"\x01\x02\x03", b"\x04\x05\x06")
    assert [await peer.hear() for _ in range(3)] == [f'52-["echo",{P0},{P1}]', b"\x01\x02\x03", b"\x04\x05\x06"]
    await peer.say(f'52-789["ack",{P0},{P1}]', b"\x01", b"\x02")
    assert [await peer.hear() for _ in range(3)] == [f"62-789[{P0},{P1}]", b"\x01", b"\x02"]


@pytest.mark.parametrize(
    "messages", [[b"x"], [f'51-["e",{P0}]', '2["x"]'], [f'51-["e",{P0}]', "1"], [f'51-["e",{P0}]', b"x", b"y"]], ids=str
)
async def test_another_packet_between_event_and_attachment_ends_the_session(
    peer: Peer, messages: list[Message]
) -> None:
    """S-27; S14"""
    await join(peer)
    await peer.say(*messages)
    await peer.ended()


async def test_a_heartbeat_between_event_and_attachment_is_allowed(app: App, peer: Peer) -> None:
    """S-27; S14"""
    await join(peer)
    await peer.say_packets(f'451-["e",{P0}]', "3", b"x")
    await still_there(peer)
    assert app.guest().events[0] == ("e", [b"x"])


async def test_attachments_of_a_disconnected_client_are_freed(app: App) -> None:
    """S-27; S15"""
    peer = WebSocketPeer(await app.client.websocket())
    await join(peer)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await peer.say(f'59-["e",{P0}]', *[bytes(500_000)] * 8)
        await peer.listened_to()
        held, _ = tracemalloc.get_traced_memory()
        peer.cut()
        await app.guest().end()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held - before > 4_000_000
    assert after - before < 500_000


@pytest.mark.parametrize(
    "payload",
    [
        '"e",NaN',
        '"e",Infinity',
        '"e",1e400',
        '"e",' + "1" * 5000,
        '"e",' + "[" * 100_000 + "]" * 100_000,
        '"e",' + '{"a":' * 50_000 + "1" + "}" * 50_000,
        '"e",' + "[" * 65 + "]" * 65,
        r'"\ud800",' + "[" * 900 + "]" * 900,
        r'"\ud800",NaN',
        r'"\ud800",1e400',
        '"e","\t"',
    ],
    ids=lambda payload: payload[:16],
)
async def test_hostile_json_ends_only_its_own_session(app: App, peer: Peer, payload: str) -> None:
    """S-07, S-08, S-29; S16"""
    other = await connected(app.client, "websocket")
    await join(other)
    await join(peer)
    await peer.say(f"2[{payload}]")
    await peer.ended()
    await still_there(other)


async def test_a_deep_event_is_echoed_up_to_the_limit(peer: Peer) -> None:
    """S-08; Section 2.2: the answer can always be encoded, where the reference dies."""
    await join(peer)
    nested = "[" * 63 + "]" * 63
    await peer.say(f'2["echo",{nested}]')
    assert await peer.hear() == f'2["echo",{nested}]'


async def test_invalid_utf8_never_becomes_a_message(app: App) -> None:
    peer = await app.client.websocket()
    await peer.send("40")
    await peer.receive()
    await peer.send_frame(1, b'42["e","\xff"]')
    assert await peer.closed() == 1007
    assert app.guest().events == []


async def test_a_text_may_contain_the_record_separator_of_polling(app: App) -> None:
    peer = WebSocketPeer(await app.client.websocket())
    await join(peer)
    await peer.say('2["echo","a\x7fb"]')
    assert await peer.hear() == '2["echo","a\x7fb"]'
