"""WebSocket sessions and invalid frames: rows E29 to E35, and U11."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from chatd.engineio.reader import MAX_FRAGMENTS
from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.tables import BROKEN_FRAMES, NO_PACKETS, close_payload
from tests.conformance.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NO_CODE,
    NO_FRAME,
    PING,
    PONG,
    TEXT,
    Client,
    Frame,
    RefusedUpgradeError,
    frame_bytes,
    text_frame,
)

TEXTS = ["4hello", "4", "4ñandú 👋", "4" + "x" * 125, "4" + "x" * 70_000]
BYTES = [b"", b"\x01\x02\x03", b"4hello", b"\xff" * 70_000]


@pytest.mark.parametrize("message", [*TEXTS, *BYTES])
async def test_an_echo(client: Client, message: str | bytes) -> None:
    """The protocol's own suite"""
    websocket = await client.websocket()
    await websocket.send(message)
    assert await websocket.receive() == message


async def test_base64_on_a_websocket_is_binary(client: Client) -> None:
    """E-04; Section 1.12"""
    websocket = await client.websocket()
    await websocket.send("bAQIDBA==")
    assert await websocket.receive() == b"\x01\x02\x03\x04"


@pytest.mark.parametrize("value", ["1", "true"])
async def test_a_client_without_binary_support_gets_base64(client: Client, value: str) -> None:
    """E-04; U11"""
    websocket = await client.websocket(b64=value)
    await websocket.send("451-[..]")
    await websocket.send("bAQIDBA==")
    assert [await websocket.receive(), await websocket.receive()] == ["451-[..]", "bAQIDBA=="]


async def test_a_client_that_closes_by_packet(engine: Engine) -> None:
    """E-24; E29, where the reference does nothing"""
    websocket = await engine.client.websocket()
    await websocket.send("1")
    assert await websocket.closed() == NO_CODE
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_CLOSE


@pytest.mark.parametrize("frame", NO_PACKETS)
async def test_an_invalid_packet_ends_the_session(engine: Engine, frame: str) -> None:
    """E-01; E30"""
    websocket = await engine.client.websocket()
    await websocket.send_raw(text_frame("4before") + text_frame(frame) + text_frame("4after"))
    await websocket.messages_until_closed()
    assert await engine.peer(websocket.sid).end() is CloseReason.PARSE_ERROR
    assert engine.peer(websocket.sid).messages == ["before"]


async def test_a_ping_packet_from_the_client_ends_the_session(engine: Engine) -> None:
    """E-24; E25"""
    websocket = await engine.client.websocket()
    await websocket.send("2")
    assert await websocket.closed() == NO_CODE
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_ERROR


async def test_packets_without_meaning_are_ignored(client: Client) -> None:
    """E-24; E26"""
    websocket = await client.websocket()
    for packet in ("0", "5", "6", "3", "4hello"):
        await websocket.send(packet)
    assert await websocket.receive() == "4hello"


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_over_the_limit(engine: Engine, opcode: int, size: int) -> None:
    """E-09; E31: the client gets the close code although it was still sending"""
    websocket = await engine.client.websocket()
    websocket.connection.write(frame_bytes(opcode, b"4" + b"x" * (size - 1)))
    assert await websocket.closed() == 1009
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_ERROR
    assert await websocket.connection.rest() == b""


async def test_a_message_of_exactly_the_limit_passes(client: Client) -> None:
    """E-09; E31"""
    websocket = await client.websocket()
    message = "4" + "x" * 999_999
    await websocket.send(message)
    assert await websocket.receive() == message


async def test_text_that_is_not_utf8(client: Client) -> None:
    """E-08; E32"""
    websocket = await client.websocket()
    await websocket.send_frame(TEXT, b"4\xff\xfe")
    assert await websocket.closed() == 1007


async def test_a_character_may_be_split_over_two_fragments(client: Client) -> None:
    """E-07; E32"""
    websocket = await client.websocket()
    whole = "4ñ".encode()
    await websocket.send_frame(TEXT, whole[:2], fin=False)
    await websocket.send_frame(CONTINUATION, whole[2:])
    assert await websocket.receive() == "4ñ"


async def test_fragments_without_end_are_refused(engine: Engine) -> None:
    """E-09; E33, CVE-2026-48779"""
    websocket = await engine.client.websocket()
    await websocket.send_frame(TEXT, b"4", fin=False)
    frames = frame_bytes(CONTINUATION, b"", fin=False) * MAX_FRAGMENTS
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    websocket.connection.write(frames)
    assert await websocket.closed() == 1008
    for _ in range(24):
        websocket.connection.write(frames)
    await websocket.connection.rest()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 4_000_000
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_ERROR


@pytest.mark.parametrize("frame", BROKEN_FRAMES.values(), ids=BROKEN_FRAMES)
async def test_a_broken_frame(engine: Engine, frame: bytes) -> None:
    """E-08; E34"""
    websocket = await engine.client.websocket()
    await websocket.send_raw(frame)
    assert await websocket.closed() == 1002
    assert await websocket.connection.rest() == b""
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_ERROR
    assert engine.server.sessions == {}


@pytest.mark.parametrize("frame", BROKEN_FRAMES.values(), ids=BROKEN_FRAMES)
async def test_a_broken_frame_right_behind_the_handshake(engine: Engine, frame: bytes) -> None:
    """E-08; E34, CVE-2022-21676"""
    websocket = await engine.client.raw_websocket(early=frame)
    assert str(await websocket.receive()).startswith("0{")
    assert await websocket.closed() == 1002
    assert engine.server.sessions == {}
    await engine.client.websocket()


async def test_a_message_in_two_fragments(client: Client) -> None:
    """E-07; E35"""
    websocket = await client.websocket()
    await websocket.send_frame(TEXT, b"4", fin=False)
    await websocket.send_frame(PING, b"between")
    await websocket.send_frame(CONTINUATION, b"0")
    assert await websocket.receive_frame() == Frame(PONG, b"between")
    assert await websocket.receive() == "40"


@pytest.mark.parametrize("data", [b"", b"are you there", b"x" * 125])
async def test_a_ping_frame_is_answered_with_the_same_data(client: Client, data: bytes) -> None:
    """E-07; RFC 6455, section 5.5.3"""
    websocket = await client.websocket()
    await websocket.send_frame(PING, data)
    assert await websocket.receive_frame() == Frame(PONG, data)


async def test_a_pong_frame_is_ignored(client: Client) -> None:
    """RFC 6455, section 5.5.3"""
    websocket = await client.websocket()
    await websocket.send_frame(PONG, b"x")
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", NO_CODE), (close_payload(1000), 1000), (close_payload(1001, b"going"), 1001), (close_payload(4000), 4000)],
)
async def test_a_close_frame_is_answered_with_its_code(engine: Engine, payload: bytes, code: int) -> None:
    """E-29; RFC 6455, section 5.5.1"""
    websocket = await engine.client.websocket()
    await websocket.send_frame(CLOSE, payload)
    assert await websocket.closed() == code
    assert await websocket.connection.rest() == b""
    assert await engine.peer(websocket.sid).end() is CloseReason.TRANSPORT_CLOSE


async def test_a_close_frame_has_a_reason_in_utf8(client: Client) -> None:
    """RFC 6455, section 5.5.1"""
    websocket = await client.websocket()
    await websocket.send_frame(CLOSE, close_payload(1000, b"\xff"))
    assert await websocket.closed() == 1007


async def test_a_server_closes_without_a_code(engine: Engine) -> None:
    """E-26; Section 1.8"""
    websocket = await engine.client.websocket()
    engine.session(websocket.sid).send("last words")
    engine.session(websocket.sid).close(CloseReason.FORCED_CLOSE)
    assert await websocket.receive() == "4last words"
    assert await websocket.closed() == NO_CODE
    assert engine.server.sessions == {}
    await websocket.send_frame(CLOSE, b"")
    assert await websocket.connection.rest() == b""


async def test_packets_after_the_close_are_ignored(engine: Engine) -> None:
    """E-26; Section 1.8"""
    websocket = await engine.client.websocket()
    peer = engine.peer(websocket.sid)
    engine.session(websocket.sid).close(CloseReason.FORCED_CLOSE)
    await websocket.send_raw(text_frame("4late") + text_frame("zzz") + frame_bytes(CLOSE, b""))
    assert await websocket.closed() == NO_CODE
    assert await websocket.connection.rest() == b""
    assert peer.messages == []


@pytest.mark.parametrize("politely", [True, False])
async def test_a_broken_connection_ends_the_session(engine: Engine, politely: bool) -> None:
    """Section 2.4"""
    websocket = await engine.client.websocket()
    if politely:
        websocket.close()
    else:
        websocket.abort()
    assert await engine.peer(websocket.sid).end() in (CloseReason.TRANSPORT_CLOSE, CloseReason.TRANSPORT_ERROR)
    assert engine.server.sessions == {}


async def test_only_the_client_that_does_not_read_is_closed() -> None:
    """E-27; Back-pressure: bounded, then closed"""
    async with running(max_queued_bytes=65_536) as engine:
        deaf, other = await engine.client.websocket(), await engine.client.websocket()
        peer = engine.peer(deaf.sid)
        ended = asyncio.ensure_future(peer.end())
        while not ended.done():
            peer.session.send("x" * 50_000)
            engine.session(other.sid).send("news")
            assert await other.receive() == "4news"
        assert await ended is CloseReason.SLOW_CONSUMER
        assert list(engine.server.sessions) == [other.sid]


async def test_a_hundred_messages_at_once_are_answered_in_order(client: Client) -> None:
    """E-25"""
    websocket = await client.websocket()
    texts = [f"4{number}" for number in range(100)]
    await websocket.send_raw(b"".join(map(text_frame, texts)))
    assert [await websocket.receive() for _ in texts] == texts


async def test_bytes_may_come_one_by_one(client: Client) -> None:
    websocket = await client.websocket()
    for byte in text_frame("4hello") + frame_bytes(BINARY, b"\x01"):
        websocket.connection.write(bytes([byte]))
        await client.settled()
    assert [await websocket.receive(), await websocket.receive()] == ["4hello", b"\x01"]


async def test_a_websocket_session_is_not_polled(client: Client) -> None:
    """E-44; Section 1.9"""
    websocket = await client.websocket()
    answer = await client.request("GET", {"EIO": "4", "transport": "polling", "sid": websocket.sid})
    assert answer.json()["code"] == 3
    second = await client.raw_websocket(sid=websocket.sid)
    assert await second.closed() in (NO_CODE, NO_FRAME)
    await websocket.send("4hello")
    assert await websocket.receive() == "4hello"


async def test_a_body_with_a_handshake_is_no_frame(engine: Engine) -> None:
    """A GET has no body; the bytes after it are WebSocket frames"""
    try:
        websocket = await engine.client.raw_websocket({"Content-Length": "5"}, early=b"hello")
    except RefusedUpgradeError:
        pass
    else:
        assert str(await websocket.receive()).startswith("0{")
        assert await websocket.closed() in (1002, NO_FRAME)
    assert engine.server.sessions == {}


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        (CloseReason.PING_TIMEOUT, NO_FRAME),
        (CloseReason.RECONNECT, NO_FRAME),
        (CloseReason.SERVER_SHUTTING_DOWN, NO_FRAME),
        (CloseReason.FORCED_CLOSE, NO_CODE),
        (CloseReason.TRANSPORT_CLOSE, NO_CODE),
        (CloseReason.TRANSPORT_ERROR, NO_CODE),
        (CloseReason.PARSE_ERROR, NO_CODE),
    ],
)
async def test_a_session_ends_with_a_close_frame_unless_its_client_should_reconnect(
    engine: Engine, reason: CloseReason, end: int
) -> None:
    """E-50: packets sent before arrive"""
    websocket = await engine.client.websocket()
    session = engine.session(websocket.sid)
    session.send("last words")
    session.close(reason)
    assert await websocket.receive() == "4last words"
    assert await websocket.closed() == end
