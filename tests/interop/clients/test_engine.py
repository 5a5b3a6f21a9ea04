"""engine.io-client against the Engine.IO layer, without Socket.IO."""

from __future__ import annotations

import pytest

from tests.conformance.engineio.engine import running
from tests.interop.clients.programs import told
from tests.interop.clients.results import Result

ECHO = ["ñandú 🦜", [0, 127, 128, 255]]


@pytest.mark.every_client
@pytest.mark.parametrize("package", ["engine.io-client-6.6.6", "engine.io-client"])
async def test_text_and_bytes_come_back(package: str, passed: dict[str, Result]) -> None:
    """E-02, E-04, E-42"""
    async with running() as engine:
        here = await told("engine.mjs", package, f"http://127.0.0.1:{engine.client.port}")
    found = here["found"]
    assert len(found) == (5 if package == "engine.io-client-6.6.6" else 4)
    for way, seen in found.items():
        came = ECHO[:1] if way == "SocketWithoutUpgrade" else ECHO
        transport = "polling" if way == "polling" else "websocket"
        assert seen == {"came": came, "reason": "forced close", "transport": transport}, way
    ran = {way: ["text", "bytes"][: len(seen["came"])] for way, seen in found.items()}
    passed[package] = Result(package, "engine.io-client", here["version"], here["runtime"], ran)
