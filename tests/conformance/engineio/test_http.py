"""HTTP/1.1 of clients, proxies and attackers."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from chatd.engineio.http import MAX_PIPELINED_BYTES
from chatd.engineio.linger import LINGER_S
from chatd.engineio.reasons import CloseReason
from chatd.engineio.request import MAX_QUERY_FIELDS
from tests.conformance.engineio.engine import Engine, running
from tests.conformance.idle_loop import run_in_loop_time
from tests.conformance.wire import TIMEOUT_S, Client, Connection, PollingSession, handshake_headers, request_bytes

HANDSHAKE = "/engine.io/?EIO=4&transport=polling"


async def refused(connection: Connection) -> int:
    """The status of an answer after which the connection is closed."""
    answer = await connection.answer()
    assert answer.header("connection") == "close"
    assert answer.body == b""
    assert await connection.rest() == b""
    return answer.status


# Keep-alive.


async def test_one_connection_serves_a_whole_session(client: Client) -> None:
    """E-15"""
    connection = await client.connect()
    opened = await connection.request("GET", HANDSHAKE)
    target = f"{HANDSHAKE}&sid={json.loads(opened.text[1:])['sid']}"
    for number in range(5):
        assert (await connection.request("POST", target, body=b"4%d" % number)).text == "ok"
        assert (await connection.request("GET", target)).packets == [f"4{number}"]


async def test_a_connection_stays_open_after_every_kind_of_error(client: Client) -> None:
    """E-11, E-15"""
    session = await client.polling()
    connection = await client.connect()
    for method, target, body, status in [
        ("GET", "/engine.io/?EIO=4", None, 400),
        ("GET", "/elsewhere", None, 404),
        ("GET", "/engine.io/?EIO=3&transport=polling", None, 400),
        ("POST", session.target(), b"x" * 1_000_001, 413),
        ("PUT", session.target(), b"4x", 405),
        ("POST", "/elsewhere", b"x" * 100_000, 404),
        ("GET", session.target(sid="unknown"), None, 400),
        ("POST", session.target(), b"4hello", 200),
    ]:
        assert (await connection.request(method, target, body=body)).status == status, target
    assert await session.poll() == ["4hello"]


async def test_connection_close_ends_the_connection(client: Client) -> None:
    connection = await client.connect()
    answer = await connection.request("GET", HANDSHAKE, headers={"Connection": "close"})
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert await connection.rest() == b""


async def test_a_poll_with_connection_close(engine: Engine) -> None:
    """Section 6: Node's client says `Connection: close` with every request"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("GET", session.target(), {"Connection": "close"}))
    await engine.client.settled()
    engine.session(session.sid).send("news")
    assert (await connection.answer()).text == "4news"
    assert await connection.rest() == b""


async def test_http_1_0_gets_one_answer(client: Client) -> None:
    connection = await client.connect()
    connection.write(b"GET /engine.io/?EIO=4&transport=polling HTTP/1.0\r\n\r\n")
    answer = await connection.answer()
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert await connection.rest() == b""


async def test_every_answer_has_a_length_and_a_date(client: Client) -> None:
    connection = await client.connect()
    for target in (HANDSHAKE, "/elsewhere", "/engine.io/?EIO=4"):
        answer = await connection.request("GET", target)
        assert answer.header("content-length") == str(len(answer.body))
        assert str(answer.header("date")).endswith(" GMT")


async def test_head_is_answered_without_a_body(client: Client) -> None:
    connection = await client.connect()
    for target in (HANDSHAKE, "/elsewhere"):
        assert (await connection.request("HEAD", target)).status in (400, 404)
    assert (await connection.request("GET", HANDSHAKE)).status == 200


# Pipelining.


async def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    """E-15"""
    session = await client.polling()
    connection = await client.connect()
    connection.write(
        request_bytes("POST", session.target(), body=b"4a")
        + request_bytes("GET", session.target())
        + request_bytes("GET", "/elsewhere")
        + request_bytes("POST", session.target(), body=b"4b")
        + request_bytes("GET", session.target())
    )
    answers = [await connection.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 404, 200, 200]
    assert [answers[1].text, answers[4].text] == ["4a", "4b"]


async def test_requests_after_a_waiting_poll_wait(engine: Engine) -> None:
    """E-15"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("GET", session.target()) + request_bytes("POST", session.target(), body=b"4mine"))
    await engine.client.settled()
    assert engine.peer(session.sid).messages == []
    engine.session(session.sid).send("news")
    assert (await connection.answer()).text == "4news"
    assert (await connection.answer()).text == "ok"
    assert engine.peer(session.sid).messages == ["mine"]


async def test_pipelined_requests_may_come_byte_by_byte(client: Client) -> None:
    """E-15"""
    connection = await client.connect()
    for byte in request_bytes("GET", "/a") + request_bytes("POST", "/b", body=b"xyz") + request_bytes("GET", "/c"):
        connection.write(bytes([byte]))
        await asyncio.sleep(0)
    assert [(await connection.answer()).status for _ in range(3)] == [404] * 3


async def test_a_handshake_may_follow_other_requests(client: Client) -> None:
    """E-15, E-18"""
    connection = await client.connect()
    target = "/engine.io/?EIO=4&transport=websocket"
    connection.write(request_bytes("GET", "/elsewhere") + request_bytes("GET", target, handshake_headers()))
    assert [(await connection.answer()).status, (await connection.answer()).status] == [404, 101]


async def test_a_flood_after_a_waiting_poll_is_not_read(engine: Engine) -> None:
    """L-12: the rest stays in the client's buffers until the poll is answered"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("GET", session.target()))
    connection.write(request_bytes("GET", "/elsewhere") * 100_000)
    for _ in range(20):
        await engine.client.settled()
    one_read = 262_144  # asyncio's read size, without chatd's own listener
    assert engine.server.connections.unfinished.total_bytes <= MAX_PIPELINED_BYTES + one_read
    assert connection.unsent_bytes > 0
    engine.session(session.sid).send("hello")
    assert (await connection.answer()).text == "4hello"
    assert (await connection.answer()).status == 404


async def test_a_flood_of_requests_does_not_delay_other_clients(client: Client) -> None:
    """E-15; one request of a connection is handled in a turn"""
    other = await client.connect()
    await other.request("GET", "/elsewhere")
    flood = await client.connect()
    flood.write(request_bytes("GET", "/elsewhere") * 2_000)
    await other.request("GET", "/elsewhere")
    await other.request("GET", "/elsewhere")
    answered = 0
    while flood.received_bytes:
        await flood.answer()
        answered += 1
    assert answered < 100


def echoes(session: PollingSession, count: int) -> bytes:
    """Requests whose answers are 100,000 bytes each."""
    post = request_bytes("POST", session.target(), body=b"4" + b"x" * 99_999)
    return (post + request_bytes("GET", session.target())) * count


async def deaf(engine: Engine, count: int) -> Connection:
    """A connection that asks for `count` echoes and does not read."""
    connection = await engine.client.connect(receive_buffer_bytes=4_096)
    connection.stop_reading()
    connection.write(echoes(await engine.client.polling(), count))
    return connection


async def test_requests_of_a_client_that_reads_no_answers_are_not_read(engine: Engine) -> None:
    """Back-pressure: the answers to a flood of requests are not kept in memory"""
    connection = await deaf(engine, 200)
    async with asyncio.timeout(TIMEOUT_S):
        while not any(tcp.get_write_buffer_size() for tcp in engine.server.connections._open):
            await engine.client.settled()
    for _ in range(20):
        await engine.client.settled()
    assert connection.unsent_bytes > 5_000_000
    assert sum(tcp.get_write_buffer_size() for tcp in engine.server.connections._open) < 200_000


async def test_a_client_that_reads_late_gets_every_answer(engine: Engine) -> None:
    connection = await deaf(engine, 100)
    for _ in range(20):
        await engine.client.settled()
    connection.go_on_reading()
    for _ in range(100):
        assert (await connection.answer()).text == "ok"
        assert len((await connection.answer()).body) == 100_000


def test_a_client_that_never_reads_is_closed() -> None:
    """E-16"""

    async def play() -> None:
        async with running(request_timeout_s=0.3) as engine:
            connection = await deaf(engine, 200)
            await connection.lost()
            assert len(engine.server.connections) == 0

    run_in_loop_time(play())


# Invalid requests.

BROKEN = {
    "no request": b"\r\n\r\nhello\r\n\r\n",
    "no version": b"GET /engine.io/\r\n\r\n",
    "another version": b"GET /engine.io/ HTTP/2.0\r\nHost: a\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
    "no host": b"GET /engine.io/ HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /engine.io/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a space in the target": b"GET /engine.io/ ?EIO=4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes in the target": b"GET /engine.io/\xc3\xb1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in the target": b"GET /engine.io/\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a zero byte in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nhello\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a negative length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
    "a length in words": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a chunk without a size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
}


@pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN)
async def test_an_invalid_request(engine: Engine, request_: bytes) -> None:
    """E-17"""
    connection = await engine.client.connect()
    connection.write(request_)
    answer = await connection.answer()
    # An error in the body is found only after the answer.
    assert answer.status in ((400, 404, 501) if b"chunked" in request_ else (400, 501))
    connection.end_writing()
    assert await connection.rest() == b""
    assert engine.server.sessions == {}
    await engine.client.polling()


async def test_an_origin_with_a_control_character_opens_no_session(engine: Engine) -> None:
    """Section 1.2"""
    answer = await engine.client.request("GET", {"EIO": "4", "transport": "polling"}, {"Origin": "http://a\x01b"})
    assert answer.status in (400, 403)
    assert engine.server.sessions == {}


async def test_an_invalid_body_ends_its_session(engine: Engine) -> None:
    """E-17, E-34"""
    session = await engine.client.polling()
    connection = await engine.client.connect()
    connection.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}, b"hello\r\n"))
    assert await refused(connection) == 400
    assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR


async def test_a_body_longer_than_announced_is_the_next_request(client: Client) -> None:
    session = await client.polling()
    connection = await client.connect()
    connection.write(request_bytes("POST", session.target(), {"Content-Length": "2"}, b"4hello\r\n\r\n"))
    assert (await connection.answer()).text == "ok"
    assert await refused(connection) == 400
    assert await session.poll() == ["4h"]


async def test_too_many_query_fields(client: Client) -> None:
    """E-10"""
    fields = "&".join(f"f{number}=1" for number in range(MAX_QUERY_FIELDS + 1))
    connection = await client.connect()
    connection.write(request_bytes("GET", f"{HANDSHAKE}&{fields}"))
    assert await refused(connection) == 400
    connection = await client.connect()
    fields = "&".join(f"f{number}=1" for number in range(MAX_QUERY_FIELDS - 2))
    assert (await connection.request("GET", f"{HANDSHAKE}&{fields}")).status == 200


FLOODS = {
    "one long header": {"X-Flood": "x" * 20_000},
    "many headers": {f"X-{number}": "x" for number in range(5_000)},
    "a megabyte": {"X-Flood": "x" * 1_000_000},
    "three megabytes": {"X-Flood": "x" * 3_000_000},
}


@pytest.mark.parametrize("headers", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_headers(engine: Engine, headers: dict[str, str]) -> None:
    """E-17; CVE-2024-37890; the client gets the answer although it was still sending"""
    connection = await engine.client.connect()
    connection.write(request_bytes("GET", HANDSHAKE, headers))
    assert await refused(connection) == 431
    assert engine.server.sessions == {}


async def test_an_endless_line(client: Client) -> None:
    """E-17"""
    connection = await client.connect()
    connection.write(b"GET /" + b"x" * 100_000)
    assert await refused(connection) == 431


async def test_headers_within_the_limit_pass(client: Client) -> None:
    """E-17"""
    connection = await client.connect()
    assert (await connection.request("GET", HANDSHAKE, headers={"Cookie": "x" * 15_000})).status == 200


# Slow clients.


async def test_a_head_that_never_ends() -> None:
    """E-16; slow headers: the deadline counts from the start of the connection, whatever arrives"""
    async with running(request_timeout_s=0.2) as engine:
        loop = asyncio.get_running_loop()
        start = loop.time()
        connection = await engine.client.connect()
        trickle = asyncio.ensure_future(trickled(connection, b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000))
        assert (await connection.answer()).status == 408
        assert 0.2 <= loop.time() - start < 0.2 + LINGER_S / 2
        trickle.cancel()
        assert await connection.rest() == b""


async def test_a_head_that_arrives_after_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    """E-16; the loop was blocked, and reads the head before it runs the timer"""
    async with running(request_timeout_s=0.2) as engine:
        connection = await engine.client.connect()
        connection.write(request_bytes("GET", HANDSHAKE)[:-1])
        await engine.client.settled()
        connection.write(b"\n")
        held_up_until = time.monotonic() + 0.3
        while time.monotonic() < held_up_until:
            pass
        assert await refused(connection) == 408
        assert engine.server.sessions == {}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def trickled(connection: Connection, data: bytes) -> None:
    for byte in data:
        connection.write(bytes([byte]))
        await asyncio.sleep(0.01)


async def test_a_body_that_never_ends() -> None:
    """E-16"""
    async with running(request_timeout_s=0.2) as engine:
        session = await engine.client.polling()
        connection = await engine.client.connect()
        connection.write(request_bytes("POST", session.target(), {"Content-Length": "10"}, b"4x"))
        assert await refused(connection) == 408
        assert await engine.peer(session.sid).end() is CloseReason.TRANSPORT_ERROR


async def test_a_silent_connection_is_closed() -> None:
    """E-16"""
    async with running(request_timeout_s=0.2) as engine:
        silent, idle = await engine.client.connect(), await engine.client.connect()
        await idle.request("GET", "/elsewhere")
        assert await silent.rest() == await idle.rest() == b""


async def test_a_poll_may_wait_longer_than_a_request_may_take() -> None:
    """E-16"""
    async with running(request_timeout_s=0.1, ping_interval_s=0.3) as engine:
        session = await engine.client.polling()
        assert await session.poll() == ["2"]


async def test_a_websocket_has_no_request_deadline() -> None:
    """E-16"""
    async with running(request_timeout_s=0.1, ping_interval_s=0.3) as engine:
        websocket = await engine.client.websocket()
        assert await websocket.receive() == "2"


# Expect: 100-continue.


async def test_a_client_that_waits_for_100_continue(client: Client) -> None:
    """E-15"""
    session = await client.polling()
    connection = await client.connect()
    headers = {"Expect": "100-continue", "Content-Length": "6"}
    connection.write(request_bytes("POST", session.target(), headers))
    assert (await connection.answer()).status == 100
    connection.write(b"4hello")
    assert (await connection.answer()).text == "ok"
    assert await session.poll() == ["4hello"]


async def test_a_client_that_does_not_wait_for_100_continue(client: Client) -> None:
    """E-15"""
    session = await client.polling()
    connection = await client.connect()
    headers = {"Expect": "100-continue", "Content-Length": "6"}
    connection.write(request_bytes("POST", session.target(), headers, b"4hello"))
    answer = await connection.answer()
    if answer.status == 100:
        answer = await connection.answer()
    assert answer.text == "ok"


async def test_a_refused_expect_does_not_wait_for_the_body(client: Client) -> None:
    """The client will not send the body, so the next request would be read as the body"""
    session = await client.polling()
    connection = await client.connect()
    headers = {"Expect": "100-continue", "Content-Length": "1000001"}
    connection.write(request_bytes("POST", session.target(), headers))
    assert await refused(connection) == 413
    assert await session.is_alive()


async def test_no_state_is_left_when_all_clients_have_disconnected(engine: Engine) -> None:
    for _ in range(5):
        await engine.client.connect()
        await engine.client.websocket()
        await (await engine.client.polling()).begin_get()
    await engine.client.aclose()
    async with asyncio.timeout(TIMEOUT_S):
        await engine.server.connections.close(TIMEOUT_S)
    assert len(engine.server.sessions) == 0
