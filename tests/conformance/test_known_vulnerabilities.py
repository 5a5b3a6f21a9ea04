"""Inputs that broke Socket.IO implementations, one test for each entry of their security history.

Those of the Engine.IO layer are in test_known_vulnerabilities_engineio.py.
"""

from __future__ import annotations

import json
import pathlib
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest

import chatd
from tests.conformance.socketio.app import App, running
from tests.conformance.socketio.peers import Message, Peer, WebSocketPeer, connected, join

P0 = '{"_placeholder":true,"num":0}'

LINEAR_S = 1.0
"""Far above the time of the largest message in linear time, far below that in quadratic time."""


@pytest.fixture
async def app() -> AsyncIterator[App]:
    async with running() as started:
        yield started


@pytest.fixture
async def witness(app: App) -> Peer:
    """Another client, which must not be affected."""
    peer = await connected(app.client, "websocket")
    await join(peer)
    return peer


@pytest.fixture
async def attacker(app: App, witness: Peer) -> WebSocketPeer:
    peer = WebSocketPeer(await app.client.websocket())
    await join(peer)
    return peer


async def unharmed(witness: Peer) -> None:
    await witness.say('2["echo","fine"]')
    assert await witness.hear() == '2["echo","fine"]'


async def test_cve_2017_16031_ids_cannot_be_guessed(app: App) -> None:
    """socket.io: ids from Math.random"""
    ids = []
    for _ in range(20):
        peer = await app.client.websocket()
        await peer.send("40")
        ids += [peer.sid, json.loads(str(await peer.receive())[2:])["sid"]]
    assert len(set(ids)) == 40
    assert min(map(len, ids)) >= 20
    assert len({an_id[:4] for an_id in ids}) > 35, "no common prefix: no counter, no clock"


async def test_cve_2020_28481_no_page_of_another_origin_may_read_by_default(app: App) -> None:
    """socket.io: Access-Control-Allow-Origin for every page"""
    answer = await app.client.request(
        "GET", {"EIO": "4", "transport": "polling"}, {"Origin": "https://evil.example", "Host": "chat.example"}
    )
    assert answer.header("access-control-allow-origin") is None


@pytest.mark.parametrize("digits", ["5{}-", "2{}", "2/{},", "3{}", "0{}"])
async def test_cve_2020_36049_a_huge_field_costs_no_more_than_its_length(
    attacker: WebSocketPeer, witness: Peer, digits: str
) -> None:
    """socket.io-parser: fields joined character by character"""
    begin = time.process_time()
    await attacker.say(digits.format("1" * 900_000))
    await attacker.ended()
    assert time.process_time() - begin < LINEAR_S
    await unharmed(witness)


async def test_cve_2020_36049_a_huge_namespace_costs_no_more_than_its_length(
    attacker: WebSocketPeer, witness: Peer
) -> None:
    """socket.io-parser: fields joined character by character"""
    name = "/" + "n" * 900_000
    begin = time.process_time()
    await attacker.say(f"0{name}")
    assert await attacker.hear() == f'4{name},{{"message":"Invalid namespace"}}'
    assert time.process_time() - begin < LINEAR_S
    await unharmed(witness)


@pytest.mark.parametrize("number", ['"splice"', '"constructor"', '"__proto__"', "-1", "1", "1e9"])
async def test_cve_2022_2421_a_placeholder_names_an_attachment_and_nothing_else(
    app: App, attacker: WebSocketPeer, witness: Peer, number: str
) -> None:
    """socket.io-parser: a method of the array of attachments became an argument"""
    await attacker.say(f'51-["x",{{"_placeholder":true,"num":{number}}}]', b"x")
    await attacker.ended()
    assert app.guest().events == []
    await unharmed(witness)


@pytest.mark.parametrize("name", ['{"toString":"foo"}', '{"toString":null}', "null", "[]", '["x"]', "true"])
async def test_cve_2023_32695_the_name_of_an_event_is_a_string_or_a_number(
    app: App, attacker: WebSocketPeer, witness: Peer, name: str
) -> None:
    """socket.io-parser: an uncaught exception"""
    await attacker.say(f"2[{name}]")
    await attacker.ended()
    assert app.guest().events == []
    await unharmed(witness)


@pytest.mark.parametrize("name", ["error", "exception", "uncaughtException", "__proto__", "constructor", "on_event"])
async def test_cve_2024_38355_no_event_has_a_special_meaning(
    app: App, attacker: WebSocketPeer, witness: Peer, name: str
) -> None:
    """socket.io: `error` without a listener ended the process"""
    await attacker.say(f'2["{name}",1]', '2["echo"]')
    assert await attacker.hear() == '2["echo"]'
    assert app.guest().events[0] == (name, [1])
    await unharmed(witness)


@pytest.mark.parametrize("count", ["11", "100", "5999999", "1" * 1000])
async def test_cve_2026_33151_attachments_are_few(attacker: WebSocketPeer, witness: Peer, count: str) -> None:
    """socket.io-parser: any number was awaited, and buffered"""
    await attacker.say(f'5{count}-["x",{P0}]')
    await attacker.ended()
    await unharmed(witness)


@pytest.mark.parametrize("packet", ['50-["x"]', '60-1["x"]', '500-["x"]'])
async def test_cve_2026_69185_a_packet_without_attachments_waits_for_none(
    attacker: WebSocketPeer, witness: Peer, packet: str
) -> None:
    """socket.io-parser: binary messages were buffered without end"""
    await attacker.say(packet)
    await attacker.ended()
    await unharmed(witness)


def test_cve_2025_61765_nothing_is_unpickled() -> None:
    """python-socketio: pickles from the message queue were trusted"""
    sources = pathlib.Path(chatd.__file__).parent.rglob("*.py")
    assert not [source for source in sources if "pickle" in source.read_text()]


@pytest.mark.parametrize("messages", [[f'53-["x",{P0}]'], [f'53-["x",{P0}]', bytes(500_000), bytes(500_000)]], ids=len)
async def test_cve_2026_48804_missing_attachments_are_dropped_with_the_client(
    app: App, attacker: WebSocketPeer, witness: Peer, messages: list[Message]
) -> None:
    """python-socketio: they stayed in memory"""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await attacker.say(*messages)
        await attacker.listened_to()
        attacker.cut()
        await app.guest().end()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 500_000
    await unharmed(witness)


@pytest.mark.parametrize("head", [f'51-["x",{P0}]', f'51-/custom,["x",{P0}]', f"61-0[{P0}]"])
async def test_cve_2026_48804_attachments_before_the_connect_are_refused(app: App, witness: Peer, head: str) -> None:
    """python-socketio: they were awaited all the same"""
    stranger = await connected(app.client, "websocket")
    await stranger.say(head)
    await stranger.ended()
    await unharmed(witness)


@pytest.mark.parametrize("levels", [64, 600, 5_000, 200_000])
@pytest.mark.parametrize("head", ['2["echo",{}]', '20["ack",{}]', '51-["echo",{}]'])
async def test_no_id_deep_nesting_ends_one_session(
    attacker: WebSocketPeer, witness: Peer, head: str, levels: int
) -> None:
    """socket.io 4.8 dies as it encodes its answer; python-socketio 5 fails at 600 levels"""
    await attacker.say(head.format("[" * levels + "]" * levels))
    await attacker.ended()
    await unharmed(witness)
