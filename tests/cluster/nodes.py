"""Several daemons of one chat: real processes, one real PostgreSQL database, one real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.ports import free_port
from tests.cli.command import chatd
from tests.cluster.redis.server import RedisServer
from tests.interop import processes
from tests.interop.chat import SECRET
from tests.interop.processes import Server
from tests.postgresql import Server as Postgresql

PATIENCE_S: Final = 60.0
README_DB: Final = "postgresql://chatd@db/chat"
README_BUS: Final = "redis://redis:6379"


class Cluster:
    """`nodes` are the running daemons, by number."""

    def __init__(self, folder: Path, postgresql: Postgresql, redis: RedisServer, user: str) -> None:
        self.postgresql = postgresql
        self.redis = redis
        self._login = f"{user}@" if user else ""
        self.base = postgresql.new_base()
        self.nodes: dict[int, Server] = {}
        self._folder = folder
        self._secret = folder / "secret"
        self._secret.write_text(SECRET)
        self._secret.chmod(0o600)

    def url(self, node: int) -> str:
        return self.nodes[node].url

    def start(self, node: int, *flags: str, bus: bool = True) -> None:
        """Returns once the node listens."""
        port = free_port()
        self._run(node, port, self.command(port, node, *flags, bus=bus))

    def start_as_told(self, line: str, node: int, *flags: str) -> None:
        """Start by a line of README.md, with the tests' own database and Redis."""
        port = free_port()
        for told, here in ((README_DB, self.postgresql.url(self.base)), (README_BUS, f"unix://{self.redis.path}")):
            assert told in line
            line = line.replace(told, here)
        program, *told_flags = shlex.split(line)
        assert program == "chatd"
        own = ("--port", str(port), "--jwt-secret-file", str(self._secret), "--no-admin-socket")
        self._run(node, port, [sys.executable, "-m", "chatd", *told_flags, *own, *flags])

    def _run(self, node: int, port: int, command: list[str]) -> None:
        self.nodes[node] = Server(command, port, self._folder / f"node{node}.log")
        self.nodes[node].start()

    def admin_socket(self, node: int) -> Path:
        return self._folder / f"admin{node}"

    def operate(self, node: int, *verb: str) -> subprocess.CompletedProcess[str]:
        """Run `chatd who` or another verb on the machine of that node."""
        return chatd(*verb, "--admin-socket-file", self.admin_socket(node))

    def command(self, port: int, node: int, *flags: str, bus: bool = True) -> list[str]:
        own = ("--node", str(node), *(("--bus", f"unix://{self._login}{self.redis.path}") if bus else ()))
        admin = ("--admin-socket-file", str(self.admin_socket(node)))
        unhurried = ("--message-rate", "0", "--max-chars-per-minute", "0", "--presence", "off")
        db = ("--db", self.postgresql.url(self.base))
        return processes.chat_command(port, Path("unused"), self._secret, *admin, *unhurried, *own, *db, *flags)

    def stored(self) -> list[str]:
        """The texts of all messages, in the order of their ids."""
        return self.postgresql.sql("SELECT mensaje FROM chatd.mensajes ORDER BY id", self.base)

    async def acquainted(self) -> None:
        """Wait until every node has heard every other: before that it may miss events that are sent once (N-11)."""
        logs = [server.log for server in self.nodes.values()]
        async with asyncio.timeout(PATIENCE_S):
            while any(log.read_text().count('"node came"') < len(logs) - 1 for log in logs):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def close(self) -> None:
        for server in self.nodes.values():
            if server.process is not None and server.process.poll() is None:
                server.stop()


@contextlib.contextmanager
def cluster(
    folder: Path, postgresql: Postgresql, *flags: str, nodes: int = 2, redis: tuple[str, ...] = (), user: str = ""
) -> Iterator[Cluster]:
    """Nodes 1, 2 and so on; `flags` of the daemons, `redis` options of Redis; `user` is their login at Redis."""
    with RedisServer(folder, *redis) as server:
        server.start()
        several = Cluster(folder, postgresql, server, user)
        try:
            for node in range(1, nodes + 1):
                several.start(node, *flags)
            yield several
        finally:
            several.close()
