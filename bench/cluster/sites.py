"""The nodes of one server, and its database if it has one. All of them are real."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.machine import pinned
from bench.peers import PEERS, Launch
from bench.ports import free_port
from bench.tokens import SECRET
from tests.cluster.nodes import Cluster
from tests.cluster.redis.server import RedisServer
from tests.interop.processes import Server
from tests.postgresql import Server as Postgresql
from tests.postgresql import server as postgresql_server

SERVERS: Final = ("chatd", "node-redis", "node-streams")
ALONE: Final = "node"  # the same server as both others, without an adapter

UNLIMITED: Final = ("--max-connections-per-address", "0", "--accept-rate", "0", "--accept-rate-per-address", "0")
SAFE: Final = {"fsync": "on", "full_page_writes": "on"}  # the defaults of PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """`buses`: the URL of Redis for each node by number; if empty, there is a single node.

    With `recovery`, reconnected clients get missed messages, if the server supports that. chatd then delivers after the
    commit: so no client receives a message that a fault rolls back, and that its sender resends.
    """

    folder: Path
    core: int
    redis: RedisServer
    buses: Mapping[int, str]
    ping_s: float
    recovery: bool


@dataclass(frozen=True, slots=True)
class Site:
    """`nodes` by number."""

    nodes: Mapping[int, Server]
    postgresql: Postgresql | None = None

    @property
    def ports(self) -> dict[int, int]:
        return {number: node.port for number, node in self.nodes.items()}

    @property
    def pids(self) -> list[int]:
        return [node.process.pid for node in self.nodes.values() if node.process is not None]


@contextlib.contextmanager
def site(name: str, setup: Setup) -> Iterator[Site]:
    """The nodes of one of SERVERS, or of ALONE, for the time of a block."""
    with _chatd(setup) if name == "chatd" else _node(name, setup) as running:
        yield running


@contextlib.contextmanager
def _chatd(setup: Setup) -> Iterator[Site]:
    secret = setup.folder / "secret of the benchmark"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    flags = [*UNLIMITED, "--jwt-secret-file", str(secret), "--ping-interval", f"{setup.ping_s:g}"]
    flags += ["--log-level", "warning", "--trusted-proxy", "127.0.0.1"]
    flags += ["--recovery", "on", "--deliver", "stored"] if setup.recovery else []
    with postgresql_server(**SAFE) as postgresql:
        several = Cluster(setup.folder, postgresql, setup.redis, "")
        try:
            with pinned(setup.core):
                for number, url in setup.buses.items():
                    several.start(number, *flags, "--bus", url)
                if not setup.buses:
                    several.start(1, *flags, bus=False)
            yield Site(several.nodes, postgresql)
        finally:
            several.close()


@contextlib.contextmanager
def _node(name: str, setup: Setup) -> Iterator[Site]:
    more = {"RECOVERY": "on"} if setup.recovery else {}
    nodes: dict[int, Server] = {}
    try:
        with pinned(setup.core):
            for number, url in (setup.buses or {1: ""}).items():
                launch = Launch(free_port(), setup.ping_s, setup.folder)
                command = PEERS[name].command(launch)
                env = command.env | more | {"REDIS_URL": url, "NODE_NUMBER": str(number)}
                argv = ["env", "-i", *(f"{key}={value}" for key, value in env.items()), *command.argv]
                nodes[number] = Server(argv, launch.port, setup.folder / f"node{number}.log")
                nodes[number].start()
        yield Site(nodes)
    finally:
        for node in nodes.values():
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
                node.process.wait()
