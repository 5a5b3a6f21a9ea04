"""Unfinished input: its limits before and after joining, and in total."""

from __future__ import annotations

import asyncio

import pytest

from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import CONTINUATION, TEXT, TIMEOUT_S, chunk, frame_bytes, request_bytes

SMALL = 16_384
BUDGET = 100_000


def held(engine: Engine) -> int:
    return engine.server.connections.unfinished.total_bytes


async def settled_at(engine: Engine, size: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while held(engine) != size:
            await engine.client.settled()


async def test_messages_of_an_untrusted_websocket_are_small() -> None:
    """L-11"""
    async with running(max_payload_before_join_bytes=SMALL) as engine:
        websocket = await engine.client.websocket()
        await websocket.send("4" + "x" * (SMALL - 1))
        assert await websocket.receive() == "4" + "x" * (SMALL - 1)
        await websocket.send("4" + "x" * SMALL)
        assert await websocket.closed() == 1009


async def test_a_post_of_an_untrusted_session_is_small() -> None:
    """L-11"""
    async with running(max_payload_before_join_bytes=SMALL) as engine:
        session = await engine.client.polling()
        assert (await session.post("4" + "x" * (SMALL - 1))).status == 200
        assert (await session.post("4" + "x" * SMALL)).status == 413


@pytest.mark.parametrize("when", ["before", "after"])
async def test_messages_of_a_trusted_session_are_large_on_both_transports(when: str) -> None:
    """L-11: also if it is trusted before its upgrade"""
    async with running(max_payload_before_join_bytes=SMALL) as engine:
        session = await engine.client.polling()
        if when == "before":
            engine.session(session.sid).trust()
            assert (await session.post("4" + "x" * 500_000)).status == 200
            assert (await session.poll())[0] == "4" + "x" * 500_000
        websocket = await session.upgrade()
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await websocket.send("5")
        await engine.client.settled()
        if when == "after":
            engine.session(session.sid).trust()
        await websocket.send("4" + "x" * 500_000)
        assert await websocket.receive() == "4" + "x" * 500_000


async def test_the_small_limit_is_never_above_the_large_one() -> None:
    """L-11"""
    async with running(max_payload_bytes=1_000, max_payload_before_join_bytes=SMALL) as engine:
        websocket = await engine.client.websocket()
        await websocket.send("4" + "x" * 1_000)
        assert await websocket.closed() == 1009


async def test_unfinished_messages_of_one_address_have_a_budget() -> None:
    """L-12: the connection over the budget is closed with a code that means `try again later`"""
    async with running(max_unfinished_per_client_bytes=BUDGET) as engine:
        sockets = [await engine.client.websocket() for _ in range(2)]
        part = frame_bytes(TEXT, b"4" + b"x" * 80_000)[:-1]
        await sockets[0].send_raw(part)
        await engine.client.settled()
        await sockets[1].send_raw(part)
        assert await sockets[1].closed() == 1013
        assert engine.server.refusals.counts["max_unfinished_per_client"] == 1  # type: ignore[index]
        sockets[0].abort()
        await settled_at(engine, 0)


async def test_fragments_count_with_their_overhead() -> None:
    """L-12: also empty fragments"""
    async with running(max_unfinished_per_client_bytes=BUDGET) as engine:
        websocket = await engine.client.websocket()
        await websocket.send_frame(TEXT, b"4", fin=False)
        await websocket.send_raw(frame_bytes(CONTINUATION, b"", fin=False) * 3_000)
        assert await websocket.closed() == 1013
        await settled_at(engine, 0)


async def test_a_finished_message_is_not_counted() -> None:
    """L-12"""
    async with running(max_unfinished_per_client_bytes=BUDGET) as engine:
        websocket = await engine.client.websocket()
        for _ in range(5):
            whole = frame_bytes(TEXT, b"4" + b"x" * 80_000)
            await websocket.send_raw(whole[:-1])
            await engine.client.settled()
            await websocket.send_raw(whole[-1:])
            assert await websocket.receive() == "4" + "x" * 80_000
        await settled_at(engine, 0)


async def test_an_unfinished_post_over_the_budget_is_answered_503() -> None:
    """L-12: the session ends, as with every failed POST, and no state is left"""
    async with running(max_unfinished_per_client_bytes=BUDGET) as engine:
        session = await engine.client.polling()
        connection = await engine.client.connect()
        connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
        connection.write(chunk(b"x" * 50_000) * 3)
        answer = await connection.answer()
        assert (answer.status, answer.header("retry-after"), answer.header("connection")) == (503, "1", "close")
        assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR
        await settled_at(engine, 0)


async def test_a_body_counts_for_the_client_address_that_the_proxy_names() -> None:
    """L-12: also if the head came in two reads, and the first had no client address"""
    async with running(max_unfinished_per_client_bytes=BUDGET, trusted_proxy=("127.0.0.1",)) as engine:
        client = {"X-Forwarded-For": "192.0.2.1"}
        posts = []
        for _ in range(2):
            session = await engine.client.polling(client)
            post = await engine.client.connect()
            head = request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked", **client})
            post.write(head[:-1])
            await engine.client.settled()
            post.write(head[-1:] + chunk(b"x" * 80_000))
            await engine.client.settled()
            posts.append(post)
        assert (await posts[1].answer()).status == 503
        assert not posts[0].at_end
        posts[0].abort()
        await settled_at(engine, 0)


async def test_unfinished_heads_are_counted() -> None:
    """L-12"""
    async with running(max_unfinished_per_client_bytes=BUDGET) as engine:
        connections = [await engine.client.connect() for _ in range(10)]
        for connection in connections:
            connection.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 15_000)
            await engine.client.settled()
        assert [(await connection.answer()).status for connection in connections[6:]] == [503] * 4
        for connection in connections:
            connection.abort()
        await settled_at(engine, 0)


async def test_all_clients_together_have_a_budget() -> None:
    """L-12"""
    async with running(max_unfinished_bytes=BUDGET, max_unfinished_per_client_bytes=0) as engine:
        websocket = await engine.client.websocket()
        await websocket.send_raw(frame_bytes(TEXT, b"4" + b"x" * 200_000)[:-1])
        assert await websocket.closed() == 1013
        assert engine.server.refusals.counts["max_unfinished"] == 1  # type: ignore[index]
