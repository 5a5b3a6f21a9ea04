"""Daemons that connect to Redis by TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.ports import free_port
from tests.cluster.nodes import cluster
from tests.cluster.redis.test_tls import secure_redis
from tests.interop import processes
from tests.interop.chat import SECRET
from tests.postgresql import Server


async def until_logged(server: processes.Server, words: str) -> None:
    async with asyncio.timeout(20):
        while words not in server.log.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)


async def test_a_node_reads_the_certificate_authority_of_redis_from_a_file(postgresql: Server, tmp_path: Path) -> None:
    """N-15"""
    (tmp_path / "tls").mkdir()
    with secure_redis(tmp_path / "tls") as redis, cluster(tmp_path, postgresql, nodes=0) as several:
        bus = ("--bus", f"rediss://127.0.0.1:{redis.port}", "--bus-ca-file", str(redis.authority))
        several.start(1, *bus)
        await until_logged(several.nodes[1], "bus up")


async def test_a_daemon_on_sqlite_connects_to_the_adapter_s_redis_by_tls(tmp_path: Path) -> None:
    """N-15, N-30: asyncio is imported without TLS in a daemon that does not need it."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with secure_redis(tmp_path) as redis:
        url = ("--bus-adapter-url", f"rediss://127.0.0.1:{redis.port}", "--bus-ca-file", str(redis.authority))
        port = free_port()
        command = processes.chat_command(port, tmp_path / "chat.db", secret, "--bus-adapter", "socket.io", *url)
        daemon = processes.Server(command, port, tmp_path / "daemon.log")
        daemon.start()
        try:
            await until_logged(daemon, " up")
        finally:
            daemon.stop()
