"""Nodes of two versions in one cluster."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import hiredis
import msgspec

from bench.ports import free_port
from tests.cluster.nodes import cluster
from tests.cluster.people import desk, metrics, texts, write
from tests.interop.node import Driver
from tests.postgresql import Server


def publish(path: Path, *frames: bytes) -> None:
    """Publish frames to all nodes, as another node would."""
    with socket.socket(socket.AF_UNIX) as redis:
        redis.connect(str(path))
        for frame in frames:
            words: Any = ("PUBLISH", "chatd", frame)  # hiredis declares a tuple of one
            redis.sendall(hiredis.pack_command(words))
            assert redis.recv(100).startswith(b":")


async def test_unknown_frames_of_a_newer_node_are_ignored_and_counted(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """N-23"""
    port = free_port()
    with cluster(tmp_path, postgresql, nodes=1) as several:
        await asyncio.to_thread(several.start, 2, "--internal", f"127.0.0.1:{port}")
        await several.acquainted()
        ana, near, far = await desk(driver, several)
        newer = msgspec.msgpack.encode([99, 7, {"of": "tomorrow"}])
        await asyncio.to_thread(publish, several.redis.path, newer, newer, b"nonsense")
        await write(ana, "root", "hola")
        for admin in (near, far):
            assert await texts(admin, 1) == ["hola"]
        seen = await metrics(port)
        assert seen("chatd_bus_frames_total", outcome="newer") == 2
        assert seen("chatd_bus_frames_total", outcome="broken") == 1
        assert seen("chatd_bus_connects_total") == 1
