"""Polls and posts: rows E16 to E28."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from chatd.engineio.outgoing import outgoing
from chatd.engineio.packet import Packet, PacketType
from chatd.engineio.payload import MAX_PACKETS_PER_POLL
from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.tables import BROKEN_PAYLOADS
from tests.conformance.wire import Client, PollingSession, chunk, joined, request_bytes


async def begun_post(session: PollingSession, announced: int, sent: bytes) -> None:
    """A POST whose beginning the server has read."""
    connection = await session.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": str(announced)}, sent))
    await session.client.settled()


async def test_a_post_is_answered_ok(client: Client) -> None:
    """E-32; Section 1.5"""
    session = await client.polling()
    answer = await session.post("4hello")
    assert (answer.status, answer.text) == (200, "ok")
    assert answer.header("content-type") == "text/html"
    assert answer.header("content-length") == "2"
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("body", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4ñandú 👋", "4"])
async def test_an_echo(client: Client, body: str) -> None:
    """The protocol's own suite"""
    session = await client.polling()
    await session.post(body)
    answer = await session.get()
    assert answer.text == body
    assert answer.header("content-type") == "text/plain; charset=UTF-8"
    assert answer.header("cache-control") == "no-store"


async def test_a_poll_waits_for_a_packet(engine: Engine) -> None:
    """E-30"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    engine.session(session.sid).send("news")
    assert await pending.packets() == ["4news"]


async def test_a_waiting_poll_gets_all_packets_of_a_turn(client: Client) -> None:
    """E-25; Section 1.5, where the reference sends only the first"""
    session = await client.polling()
    pending = await session.begin_get()
    await session.post(joined(["4a", "4b", "4c"]))
    assert await pending.packets() == ["4a", "4b", "4c"]


async def test_at_most_16_packets_fit_in_a_poll(client: Client) -> None:
    """E-06; Section 6: python-socketio accepts no more"""
    session = await client.polling()
    packets = [f"4{number}" for number in range(MAX_PACKETS_PER_POLL + 1)]
    await session.post(joined(packets))
    assert await session.poll() == packets[:MAX_PACKETS_PER_POLL]
    assert await session.poll() == packets[MAX_PACKETS_PER_POLL:]


async def test_two_polls_at_once(engine: Engine) -> None:
    """E-31; E16"""
    session = await engine.client.polling()
    first = await session.begin_get()
    second = await session.get()
    assert (second.status, second.body) == (400, b"")
    assert await first.packets() == ["1"]
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()


async def test_two_posts_at_once(engine: Engine) -> None:
    """E-31; E17"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    await begun_post(session, 10, b"")
    second = await session.post("4x")
    assert (second.status, second.body) == (400, b"")
    assert await pending.packets() == ["1"]
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()


@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_cancels_its_poll(engine: Engine, politely: bool) -> None:
    """E-34; E18"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    if politely:
        pending.connection.close()
    else:
        pending.connection.abort()
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()


async def test_a_client_that_aborts_its_post(engine: Engine) -> None:
    """E-34; E19"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": "10"}, b"4x"))
    await engine.client.settled()
    connection.close()
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()
    assert engine.peer(session.sid).messages == []


async def test_a_body_over_the_limit_is_refused_by_its_content_length(client: Client) -> None:
    """E-33; E20"""
    session = await client.polling()
    connection = await client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": "1000001"}))
    answer = await connection.answer()
    assert (answer.status, answer.body) == (413, b"")
    assert await session.is_alive()
    connection.write(b"4" + b"x" * 1_000_000)
    assert (await connection.request("POST", session.target(), body=b"4hello")).text == "ok"
    assert await session.poll() == ["4hello"]


@pytest.mark.parametrize("announced", ["1000000000", "9" * 30, "9" * 5_000])
async def test_an_absurd_content_length_is_harmless(client: Client, announced: str) -> None:
    """E-33; E20"""
    session = await client.polling()
    connection = await client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": announced}))
    assert (await connection.answer()).status in (400, 413)
    assert await session.is_alive()


async def test_a_chunked_body_over_the_limit_is_refused_during_the_read(engine: Engine) -> None:
    """E-33; E20: memory stays bounded"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    piece = chunk(b"x" * 50_000)
    connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
    for _ in range(21):
        connection.write(piece)
    answer = await connection.answer()
    assert answer.status == 413
    assert await session.is_alive()
    tracemalloc.start()
    with_nothing, _ = tracemalloc.get_traced_memory()
    for _ in range(15):
        connection.write(piece)
        await connection.drain()
    await engine.client.settled()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - with_nothing < 1_000_000
    connection.write(chunk(b""))
    assert (await connection.request("POST", session.target(), body=b"4hello")).text == "ok"


async def test_the_connection_of_an_endless_refused_body_is_closed(client: Client) -> None:
    """E20"""
    session = await client.polling()
    connection = await client.connect()
    connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
    for _ in range(100):
        connection.write(chunk(b"x" * 50_000))
    await connection.rest()
    assert await session.is_alive()


async def test_a_body_of_exactly_the_limit_passes(client: Client) -> None:
    """E-33; E21"""
    session = await client.polling()
    body = "4" + "ñ" * 499_999 + "x"
    assert len(body.encode()) == 1_000_000
    assert (await session.post(body)).text == "ok"
    assert await session.poll() == [body]
    assert (await session.post(body + "x")).status == 413


@pytest.mark.parametrize("body", BROKEN_PAYLOADS)
async def test_a_broken_payload_ends_the_session(engine: Engine, body: bytes) -> None:
    """E-05, E-06; E22"""
    session = await engine.client.polling()
    answer = await session.post(body)
    assert (answer.status, answer.text) == (200, "ok")
    assert await engine.peer(session.sid).end() is CloseReason.PARSE_ERROR
    assert not await session.is_alive()


async def test_packets_before_the_invalid_one_are_delivered(engine: Engine) -> None:
    """E-05; Section 1.4"""
    session = await engine.client.polling()
    await session.post("4first\x1e4second\x1ezzz\x1e4third")
    assert engine.peer(session.sid).messages == ["first", "second"]


async def test_too_many_packets_end_the_session() -> None:
    """E-06; CVE-2020-36048"""
    async with running(max_packets=10) as engine:
        session = await engine.client.polling()
        await session.post(joined(["3"] * 10))
        assert await session.is_alive()
        await session.post(joined(["3"] * 11))
        assert not await session.is_alive()


async def test_an_octet_stream_is_answered_and_ends_the_session(engine: Engine) -> None:
    """E-32; E23, CVE-2026-59725"""
    session = await engine.client.polling()
    answer = await session.post(b"4hello", {"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.body) == (400, b"")
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()


@pytest.mark.parametrize("kind", ["application/octet-stream; x=1", "application/json", "x"])
async def test_a_body_of_any_other_type_is_text(client: Client, kind: str) -> None:
    """E-32; E23"""
    session = await client.polling()
    assert (await session.post("4hello", {"Content-Type": kind})).text == "ok"
    assert await session.poll() == ["4hello"]


async def test_a_chunked_body_of_no_type_is_text(client: Client) -> None:
    """E-15, E-32; E24"""
    session = await client.polling()
    connection = await client.connect()
    connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
    for part in (b"4he", b"llo\x1e", b"4you", b""):
        connection.write(chunk(part))
        await client.settled()
    assert (await connection.answer()).text == "ok"
    assert await session.poll() == ["4hello", "4you"]


async def test_a_ping_from_the_client_ends_the_session(engine: Engine) -> None:
    """E-24; E25"""
    session = await engine.client.polling()
    assert (await session.post("2")).text == "ok"
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
    assert not await session.is_alive()


async def test_packets_without_meaning_are_ignored(client: Client) -> None:
    """E-24; E26"""
    session = await client.polling()
    await session.post("0\x1e5\x1e6\x1e3")
    await session.post("4hello")
    assert await session.poll() == ["4hello"]


async def test_a_client_that_closes_while_it_polls(engine: Engine) -> None:
    """E-35; E27"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    assert (await session.post("1")).text == "ok"
    assert await pending.packets() == ["6"]
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_CLOSE
    assert not await session.is_alive()


async def test_packets_after_the_close_are_ignored(engine: Engine) -> None:
    """E-26; Section 1.8"""
    session = await engine.client.polling()
    await session.post("4before\x1e1\x1e4after")
    assert engine.peer(session.sid).messages == ["before"]
    assert not await session.is_alive()


async def test_a_server_that_closes_while_the_client_polls(engine: Engine) -> None:
    """E-35; E28"""
    session = await engine.client.polling()
    pending = await session.begin_get()
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert await pending.packets() == ["1"]
    assert not await session.is_alive()


async def test_a_close_between_two_polls_is_sent_on_the_next(engine: Engine) -> None:
    """E-35; E28"""
    session = await engine.client.polling()
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert await session.poll() == ["1"]
    assert not await session.is_alive()


async def test_messages_sent_before_the_close_arrive_before_it(engine: Engine) -> None:
    """E-26; E28"""
    session = await engine.client.polling()
    for number in range(20):
        engine.session(session.sid).send(str(number))
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert await session.poll() == [f"4{number}" for number in range(16)]
    assert await session.poll() == ["416", "417", "418", "419", "1"]
    assert not await session.is_alive()


async def test_a_closing_session_accepts_no_more_messages(engine: Engine) -> None:
    """E-26"""
    session = await engine.client.polling()
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert (await session.post("4late")).text == "ok"
    assert engine.peer(session.sid).messages == []
    assert await session.poll() == ["1"]


async def test_a_post_is_answered_although_its_session_ended_before_the_body(engine: Engine) -> None:
    session = await engine.client.polling()
    peer, pending = engine.peer(session.sid), await session.begin_get()
    connection = await engine.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": "6"}, b"4he"))
    await engine.client.settled()
    engine.session(session.sid).close(CloseReason.FORCED_CLOSE)
    assert await pending.packets() == ["1"]
    connection.write(b"llo")
    assert (await connection.answer()).text == "ok"
    assert peer.messages == []


async def test_a_shutdown_answers_polls_so_that_every_client_reconnects(engine: Engine) -> None:
    """E-35, C-20; Section 2.4"""
    waiting, between = await engine.client.polling(), await engine.client.polling()
    pending = await waiting.begin_get()
    engine.server.close()
    assert await pending.packets() == ["6"]
    assert await between.poll() == ["6"]
    assert engine.server.sessions == {}


async def test_a_session_that_does_not_poll_is_closed() -> None:
    """E-27"""
    async with running(max_queued_bytes=100_000) as engine:
        session = await engine.client.polling()
        other = await engine.client.polling()
        engine.session(session.sid).send("x" * 60_000)
        await engine.client.settled()
        assert await session.is_alive()
        engine.session(session.sid).send("x" * 60_000)
        assert await engine.peer(session.sid).end() is CloseReason.SLOW_CONSUMER
        assert not await session.is_alive()
        assert await other.is_alive()


async def test_a_broadcast_packet_has_the_encoding_of_each_transport(engine: Engine) -> None:
    """E-02, E-03; a broadcast of binary: base64 on polling, bytes on WebSocket"""
    polling, websocket = await engine.client.polling(), await engine.client.websocket()
    packet = outgoing(Packet(PacketType.MESSAGE, b"\x01\x02\x03\x04"))
    for session in engine.server.sessions.values():
        session.send_packet(packet)
    assert await polling.poll() == ["bAQIDBA=="]
    assert await websocket.receive() == b"\x01\x02\x03\x04"


async def test_many_sessions_poll_without_a_task_each(engine: Engine) -> None:
    """No task and no timer for each connection"""
    before = len(asyncio.all_tasks())
    sessions = [await engine.client.polling() for _ in range(20)]
    pending = [await session.begin_get() for session in sessions]
    assert len(asyncio.all_tasks()) == before
    for session in engine.server.sessions.values():
        session.send("news")
    assert [await poll.packets() for poll in pending] == [["4news"]] * 20


async def test_answers_are_not_compressed(engine: Engine) -> None:
    """E-51"""
    session = await engine.client.polling()
    engine.session(session.sid).send("x" * 10_000)
    connection = await engine.client.connect()
    answer = await connection.request("GET", session.target(), headers={"Accept-Encoding": "gzip, deflate, br"})
    assert answer.header("content-encoding") is None
    assert answer.packets == ["4" + "x" * 10_000]
