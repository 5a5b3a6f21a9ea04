"""Inputs that broke Engine.IO and WebSocket implementations and that no other test covers, and
the list of all known ones: each is in the name or the docstring of a test.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.engineio.engine import Engine, running
from tests.conformance.wire import (
    CLOSE,
    PING,
    PONG,
    Frame,
    RefusedUpgradeError,
    chunk,
    frame_bytes,
    handshake_headers,
    request_bytes,
)

TESTS: Final = Path(__file__).parents[1]

# From the advisories of socket.io, socket.io-parser, engine.io, ws, python-engineio and python-socketio.
KNOWN: Final = (
    "CVE-2017-16031",
    "CVE-2019-13611",
    "CVE-2020-28481",
    "CVE-2020-36048",
    "CVE-2020-36049",
    "CVE-2021-32640",
    "CVE-2022-21676",
    "CVE-2022-2421",
    "CVE-2022-41940",
    "CVE-2023-31125",
    "CVE-2023-32695",
    "CVE-2024-37890",
    "CVE-2024-38355",
    "CVE-2025-61765",
    "CVE-2026-102599",
    "CVE-2026-33151",
    "CVE-2026-45736",
    "CVE-2026-48779",
    "CVE-2026-48802",
    "CVE-2026-48804",
    "CVE-2026-48809",
    "CVE-2026-59725",
    "CVE-2026-69185",
)

LINEAR_S: Final = 1.0
"""Far above the time of the largest header in linear time, far below that in quadratic time."""


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with running(max_payload_bytes=1_000) as started:
        yield started


def test_every_known_vulnerability_has_a_test() -> None:
    """In the name or in the docstring."""
    mentioned: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        text = file.read_text()
        if file.samefile(__file__):
            text = text.partition("def test_every_known_vulnerability_has_a_test")[2]
        for year, number in re.findall(r"cve[-_](\d{4})[-_](\d+)", text, re.IGNORECASE):
            mentioned.add(f"CVE-{year}-{number}")
    assert mentioned == set(KNOWN)


@pytest.mark.parametrize("piece", [" ", ",", "a,", " ,", '"', "a ", "\t"])
async def test_cve_2021_32640_subprotocols_are_read_in_linear_time(engine: Engine, piece: str) -> None:
    """ws: a regular expression that backtracked"""
    header = {"Sec-WebSocket-Protocol": "a" + piece * (15_000 // len(piece)) + "b"}
    connection = await engine.client.connect()
    begin = time.process_time()
    target = engine.client.target(EIO="4", transport="websocket")
    answer = await connection.request("GET", target, headers={**handshake_headers(), **header})
    assert time.process_time() - begin < LINEAR_S
    assert answer.status in (101, 400)


@pytest.mark.parametrize("reason", [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0b\xb8" + b"x" * 123])
async def test_cve_2026_45736_a_close_frame_contains_only_received_bytes(engine: Engine, reason: bytes) -> None:
    """ws: memory that had not been written was sent with a close frame"""
    websocket = await engine.client.websocket()
    await websocket.send_raw(frame_bytes(PING, reason[:1]))
    assert await websocket.receive_frame() == Frame(PONG, reason[:1])
    await websocket.send_raw(frame_bytes(CLOSE, reason))
    assert await websocket.receive_frame() == Frame(CLOSE, reason[:2])
    assert await websocket.connection.rest() == b""


async def test_cve_2026_48809_a_body_is_refused_before_it_is_buffered(engine: Engine) -> None:
    """python-engineio: the whole body was read before its size was checked"""
    session = await engine.client.polling()
    announced = await engine.client.connect()
    announced.write(request_bytes("POST", session.target(), {"Content-Length": "1000000000"}))
    assert (await announced.answer()).status == 413
    endless = await engine.client.connect()
    endless.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}) + chunk(b"4" * 1_001))
    assert (await endless.answer()).status == 413
    assert await session.is_alive()


async def test_no_id_a_websocket_of_another_revision_is_refused_before_it_is_open(engine: Engine) -> None:
    """engine.io 6.6: the text of an HTTP answer inside an open WebSocket"""
    with pytest.raises(RefusedUpgradeError) as refused:
        await engine.client.websocket(EIO="3")
    assert refused.value.answer.status == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_id_a_request_that_fits_no_session_is_answered(engine: Engine, method: str) -> None:
    """engine.io 6.6: never, and the connection stays"""
    session = await engine.client.polling()
    websocket = await session.upgrade()
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    await websocket.send("5")
    connection = await engine.client.connect()
    answer = await connection.request(method, session.target(transport="websocket"), body=b"")
    assert (answer.status, answer.json()["code"]) == (400, 3)
    await websocket.send("4still here")
    assert await websocket.receive() == "4still here"
