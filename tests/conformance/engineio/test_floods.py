"""Floods of frames that cost the sender little."""

from __future__ import annotations

import logging

import pytest

from tests.conformance.wire import PING, PONG, Client, Frame, frame_bytes, text_frame


async def test_only_the_last_ping_of_a_read_is_answered(client: Client) -> None:
    """E-07; RFC 6455, section 5.5.3: a pong for each ping would be a write for each"""
    websocket = await client.websocket()
    pings = b"".join(frame_bytes(PING, b"%d" % number) for number in range(1_000))
    await websocket.send_raw(pings + text_frame("4end"))
    answers = [await websocket.receive_frame()]
    while answers[-1].opcode == PONG:
        answers.append(await websocket.receive_frame())
    assert answers[-2:] == [Frame(PONG, b"999"), Frame(1, b"4end")]
    assert len(answers) < 20


async def test_pings_of_a_closed_client_do_not_fill_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """asyncio warns of each write after the fifth on a broken connection"""
    websocket = await client.websocket()
    websocket.connection.write(frame_bytes(PING, b"x" * 125) * 1_000)
    websocket.abort()
    await client.settled()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_handshakes_of_another_protocol_do_not_fill_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """E-13: refused before any limit applies, so one log line stands for many, and quotes little of the request"""
    for _ in range(20):
        answer = await client.request("GET", {"EIO": "3" + "x" * 10_000, "transport": "polling"})
        assert answer.json()["code"] == 5
        assert len(answer.body) < 500
    [line] = [record for record in caplog.records if "EIO" in record.getMessage()]
    assert len(line.getMessage()) < 500
