"""Limits of the Engine.IO layer: the answer, the counter, and that other clients are not affected."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chatd.engineio.busy import MAX_AT_A_TIME, STAY_S
from chatd.engineio.connections import connections_of
from chatd.engineio.limits import Limit
from chatd.engineio.reader import MAX_FRAGMENTS
from chatd.engineio.reasons import CloseReason
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import TIMEOUT_S, Client, Connection

NEW = {"EIO": "4", "transport": "polling"}
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def counted(engine: Engine) -> dict[str, int]:
    """The counters of the limits that were reached."""
    return {limit.value: count for limit, count in engine.server.refusals.counts.items() if count}


async def connected(client: Client, count: int) -> list[Connection]:
    """That many connections, accepted by the server."""
    connections = [await client.connect() for _ in range(count)]
    async with asyncio.timeout(TIMEOUT_S):
        for connection in connections:
            connection.write(GET)
            await connection.answer()
    return connections


async def busy(client: Client) -> Connection:
    """A connection over the limit, after its answer."""
    connection = await client.connect()
    connection.write(GET)
    answer = await connection.answer()
    assert (answer.status, answer.header("retry-after"), answer.header("connection")) == (503, "10", "close")
    assert answer.json() == {"code": 6, "message": "Try again later", "detail": "too many connections"}
    return connection


@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_address"])
async def test_the_limit_of_connections_is_three_times_that_of_clients_and_a_few(limit: str) -> None:
    """L-01, L-02"""
    settings: dict[str, Any] = {limit: 2}
    async with running(**settings) as engine:
        open_ = await connected(engine.client, 2 * 3 + 16)
        refused = await busy(engine.client)
        assert await refused.rest() == b""
        assert counted(engine) == {limit: 1}
        open_[0].close()
        await open_[0].ended()
        await open_[1].request("GET", "/")  # the server has seen the end before it reads this
        (again,) = await connected(engine.client, 1)
        assert (await again.request("GET", engine.client.target(**NEW))).status == 200


async def test_a_client_has_all_its_connections_on_a_full_server() -> None:
    """L-01: a poll, a POST and the WebSocket of an upgrade."""
    async with running(max_connections=1) as engine:
        session = await engine.client.polling()
        poll = await session.begin_get()
        websocket = await session.upgrade()
        await session.post("4hola")
        assert await poll.packets() == ["4hola"]
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        assert counted(engine) == {}


async def test_a_silent_connection_over_the_limit_is_closed() -> None:
    """L-01"""
    async with running(max_connections=1) as engine:
        await connected(engine.client, connections_of(1))
        silent = await engine.client.connect()
        start = asyncio.get_running_loop().time()
        assert await silent.rest() == b""
        assert asyncio.get_running_loop().time() - start > 0.9 * STAY_S


async def test_a_flood_of_connections_over_the_limit_is_closed_at_once() -> None:
    """L-01: they are closed before they can use up the file descriptors."""
    async with running(max_connections=1) as engine:
        (honest, *_) = await connected(engine.client, connections_of(1))
        flood = [await engine.client.connect() for _ in range(2 * MAX_AT_A_TIME)]
        await honest.request("GET", "/")  # read after all of them
        assert engine.server.connections.turned_away <= MAX_AT_A_TIME
        assert len(engine.server.connections) <= connections_of(1) + MAX_AT_A_TIME
        for connection in flood:
            await connection.rest()
        assert engine.server.connections.turned_away == 0
        assert len(engine.server.connections) == connections_of(1)


async def test_connections_of_trusted_proxies_are_not_limited_by_address() -> None:
    """L-02, L-04"""
    async with running(max_connections_per_address=1, trusted_proxy=("127.0.0.1",)) as engine:
        await connected(engine.client, 3 * connections_of(1))
        assert counted(engine) == {}


async def test_a_limit_that_is_off_counts_nothing() -> None:
    """L-01 to L-03"""
    async with running(max_connections=0, max_connections_per_address=0, accept_rate=0) as engine:
        websockets = [await engine.client.websocket() for _ in range(50)]
        assert len({websocket.sid for websocket in websockets}) == 50
        assert counted(engine) == {}
        assert engine.server.connections.of("127.0.0.1") == 0


async def test_closed_connections_are_not_counted() -> None:
    """L-01, L-02"""
    async with running(max_connections=3, max_connections_per_address=3) as engine:
        for _ in range(30):
            websocket = await engine.client.websocket()
            websocket.abort()
            await engine.peer(websocket.sid).end()
        assert counted(engine) == {}


async def test_every_limit_of_a_request_is_counted() -> None:
    """E-06, E-09, E-16, E-17, E-33"""
    async with running(max_payload_bytes=1_000, max_packets=2, request_timeout_s=0.1, max_header_bytes=2_000) as engine:
        connection = await engine.client.connect()
        connection.write(GET[:-2] + b"X: " + b"x" * 3_000)
        assert (await connection.answer()).status == 431
        assert counted(engine) == {"max_header": 1}

        slow = await engine.client.connect()
        slow.write(GET[:-2])
        assert (await slow.answer()).status == 408
        assert counted(engine) == {"max_header": 1, "request_timeout": 1}

        session = await engine.client.polling()
        assert (await session.post("4" + "x" * 1_000)).status == 413
        await session.post("4a\x1e4b\x1e4c")
        assert await engine.peer(session.sid).end() is CloseReason.PARSE_ERROR
        websocket = await engine.client.websocket()
        await websocket.send("4" + "x" * 1_000)
        assert await websocket.closed() == 1009
        websocket = await engine.client.websocket()
        for number in range(MAX_FRAGMENTS):
            await websocket.send_frame(1 if number == 0 else 0, b"", fin=False)
        assert await websocket.closed() == 1008
        assert counted(engine) == {
            "max_header": 1,
            "request_timeout": 1,
            "max_payload": 2,
            "max_packets": 1,
            "fragments": 1,
        }


async def test_a_client_that_does_not_poll_is_counted() -> None:
    """E-27"""
    async with running(max_queued_bytes=65_536) as engine:
        session = await engine.client.polling()
        engine.session(session.sid).send("x" * 70_000)
        assert await engine.peer(session.sid).end() is CloseReason.SLOW_CONSUMER
        assert counted(engine) == {"max_queued": 1}


@pytest.mark.parametrize("sid", [True, False])
async def test_the_origin_of_every_request_is_checked(sid: bool, caplog: pytest.LogCaptureFixture) -> None:
    """E-14: of requests that open a session, and of those within one; the session stays open."""
    async with running() as engine:
        session = await engine.client.polling()
        new = {**NEW, "sid": session.sid} if sid else NEW
        for method in ("GET", "POST") if sid else ("GET",):
            answer = await engine.client.request(method, new, {"Origin": "https://evil.example"})
            assert answer.status == 403
            assert "--origin https://evil.example" in answer.json()["message"]
        assert await session.is_alive()
        assert engine.server.refusals.counts[Limit.ORIGIN] == (2 if sid else 1)
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1
    assert "--origin https://evil.example" in caplog.text


async def test_the_origin_of_an_upgrade_is_checked() -> None:
    """E-14"""
    async with running() as engine:
        session = await engine.client.polling()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "https://evil.example"}
        answer = await engine.client.request("GET", {"EIO": "4", "transport": "websocket", "sid": session.sid}, upgrade)
        assert answer.status == 403


async def test_a_log_has_no_whole_session_id(caplog: pytest.LogCaptureFixture) -> None:
    """A session id is enough to poll and post as its client."""
    caplog.set_level(logging.DEBUG, "chatd")
    async with running() as engine:
        session = await engine.client.polling()
        await session.post("7")
        websocket = await engine.client.websocket()
        websocket.abort()
        await engine.peer(websocket.sid).end()
    said = repr([vars(record) for record in caplog.records])
    for sid in (session.sid, websocket.sid):
        assert sid[:8] in said
        assert sid[:9] not in said


async def test_a_logged_sid_of_a_node_has_as_many_random_characters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """K-01"""
    caplog.set_level(logging.INFO, "chatd")
    async with running(node=1023) as engine:
        sids = [(await engine.client.polling()).sid for _ in range(20)]
    logged = {vars(record)["sid"] for record in caplog.records if record.message == "session open"}
    assert logged == {sid[: len("1023.") + 8] for sid in sids}
