"""Reason phrases of status lines. RFC 9112 makes them optional, but a widespread PHP client needs them.

Every test that uses tests/conformance/wire.py checks that each answer of each listener has one.
"""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tests.conformance.engineio.engine import running
from tests.conformance.wire import Answer, handshake_headers, request_bytes

NEW = "/engine.io/?EIO=4&transport=polling"


def phrases(answers: list[Answer]) -> list[tuple[int, str]]:
    return [(answer.status, answer.phrase) for answer in answers]


def standard(*statuses: int) -> list[tuple[int, str]]:
    return [(status, HTTPStatus(status).phrase) for status in statuses]


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (200, request_bytes("GET", NEW)),
        (101, request_bytes("GET", "/engine.io/?EIO=4&transport=websocket", handshake_headers())),
        (204, request_bytes("OPTIONS", NEW, {"Origin": "https://a"})),
        (400, request_bytes("GET", "/engine.io/")),
        (400, b"hello\r\n\r\n"),
        (403, request_bytes("GET", NEW, {"Origin": "https://b"})),
        (404, request_bytes("GET", "/elsewhere")),
        (431, request_bytes("GET", NEW, {"X": "x" * 20_000})),
        (501, request_bytes("POST", "/", {"Transfer-Encoding": "gzip"}, b"")),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
async def test_an_answer_has_a_reason_phrase(status: int, request_: bytes) -> None:
    """E-47"""
    async with running(origin=("https://a",)) as engine:
        connection = await engine.client.connect()
        connection.write(request_)
        assert phrases([await connection.answer()]) == standard(status)


async def test_the_answers_of_a_session_have_reason_phrases() -> None:
    """E-47"""
    async with running(max_payload_bytes=1_000) as engine:
        target = (await engine.client.polling()).target()
        connection = await engine.client.connect()
        connection.write(request_bytes("POST", target, {"Expect": "100-continue", "Content-Length": "2"}))
        told = [await connection.answer()]
        connection.write(b"4x")
        told.append(await connection.answer())
        for method, body in (("GET", None), ("PUT", None), ("POST", b"x" * 1_001)):
            told.append(await connection.request(method, target, body=body))
        assert phrases(told) == standard(100, 200, 200, 405, 413)


async def test_the_answers_408_and_429_have_reason_phrases() -> None:
    """E-47"""
    async with running(max_connections_per_address=1, request_timeout_s=0.2) as engine:
        await engine.client.polling()
        many = await engine.client.request("GET", {"EIO": "4", "transport": "polling"})
        late = await engine.client.connect()
        late.write(b"GET /")
        assert phrases([many, await late.answer()]) == standard(429, 408)
