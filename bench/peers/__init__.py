"""The compared servers, and the command that starts each. All have the same chat rules.

chatd and `node-sqlite` store every message; the others store none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bench import build
from bench.tokens import SECRET

UNLIMITED: Final = (
    "CHATD_MAX_CONNECTIONS",
    "CHATD_MAX_CONNECTIONS_PER_USER",
    "CHATD_MAX_CONNECTIONS_PER_ADDRESS",
    "CHATD_ACCEPT_RATE",
    "CHATD_ACCEPT_RATE_PER_ADDRESS",
    "CHATD_MESSAGE_RATE",
    "CHATD_MAX_CHARS_PER_MINUTE",
)


@dataclass(frozen=True, slots=True)
class Launch:
    """The parameters of a start; `folder` is the server's own and empty."""

    port: int
    ping_interval_s: float
    folder: Path


@dataclass(frozen=True, slots=True)
class Command:
    argv: list[str]
    env: dict[str, str]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server: its short name, its title in tables, its command and its version."""

    name: str
    title: str
    command: Callable[[Launch], Command]
    version: Callable[[], str]


def environment(**more: str) -> dict[str, str]:
    """The environment without variables that would change a peer."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CHATD_", "NODE_", "BUN_"))}
    return kept | more


def _settings(launch: Launch) -> dict[str, str]:
    milliseconds = str(int(launch.ping_interval_s * 1000))
    return environment(PORT=str(launch.port), JWT_SECRET=SECRET, PING_INTERVAL_MS=milliseconds)


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def _locked(package: str) -> str:
    """A version of package-lock.json."""
    lock = msgspec.json.decode((build.PEERS / "package-lock.json").read_bytes())
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def _required(package: str) -> str:
    for line in (build.PEERS / "requirements.txt").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.partition("==")[2]
    raise AssertionError(f"requirements.txt has no {package}")


# ---- chatd ----


def _chatd(launch: Launch) -> Command:
    return _serve(sys.executable, launch)


def _chatd_version() -> str:
    return _version_of(sys.executable)


def _chatd_compiled(launch: Launch) -> Command:
    return _serve(str(build.compiled_chatd()), launch)


def _chatd_compiled_version() -> str:
    return _version_of(str(build.compiled_chatd()))


def _run_by(python: str) -> list[str]:
    """chatd as installed in that environment; -P: not from the working directory."""
    return [python, "-P", "-m", "chatd"]


def _serve(python: str, launch: Launch) -> Command:
    secret = launch.folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    argv = [*_run_by(python), "serve", "--host", "127.0.0.1", "--port", str(launch.port)]
    argv += ["--db", str(launch.folder / "chat.db"), "--jwt-secret-file", str(secret)]
    argv += ["--ping-interval", f"{launch.ping_interval_s:g}"]
    argv += ["--max-message", "20000"]  # characters; the default of 10,000 is below the largest payload
    argv += ["--log-level", "warning"]  # the peers log nothing either
    # This version refuses unknown settings, so only those in its help are passed.
    known = _output(*_run_by(python), "serve", "--help")
    off = {name: "0" for name in UNLIMITED if name in known or _flag(name) in known}
    return Command(argv, environment(**off))


def _flag(variable: str) -> str:
    return "--" + variable.removeprefix("CHATD_").lower().replace("_", "-")


def _version_of(python: str) -> str:
    version = _output(*_run_by(python), "--version").removeprefix("chatd ")
    return f"{version}, C{_output(python, '--version')}"


# ---- peers ----


def _node(launch: Launch) -> Command:
    build.node_modules()
    return Command([str(build.node_program()), str(build.PEERS / "node.mjs")], _settings(launch))


def _node_version() -> str:
    node = _output(str(build.node_program()), "--version")
    return f"socket.io {_locked('socket.io')}, ws {_locked('ws')}, Node {node}"


def _node_sqlite(launch: Launch) -> Command:
    build.sqlite_addon()
    usual = _node(launch)
    return Command(usual.argv, usual.env | {"DB": str(launch.folder / "chat.db")})


def _node_sqlite_version() -> str:
    return f"{_node_version()}, better-sqlite3 {_locked('better-sqlite3')}"


def _node_redis(launch: Launch) -> Command:
    usual = _node(launch)
    return Command(usual.argv, usual.env | {"ADAPTER": "redis"})


def _node_redis_version() -> str:
    return f"{_node_version()}, redis-adapter {_locked('@socket.io/redis-adapter')}, redis {_locked('redis')}"


def _node_streams(launch: Launch) -> Command:
    usual = _node(launch)
    return Command(usual.argv, usual.env | {"ADAPTER": "streams"})


def _node_streams_version() -> str:
    adapter = _locked("@socket.io/redis-streams-adapter")
    return f"{_node_version()}, redis-streams-adapter {adapter}, redis {_locked('redis')}"


def _bun(launch: Launch) -> Command:
    return Command([str(build.bun_program()), str(build.PEERS / "bun.mjs")], _settings(launch))


def _bun_version() -> str:
    engine = _locked("@socket.io/bun-engine")
    return f"socket.io {_locked('socket.io')}, bun-engine {engine}, Bun {_locked('bun')}"


def _python(launch: Launch) -> Command:
    return Command([str(build.peer_python()), str(build.PEERS / "aiohttp_peer.py")], _settings(launch))


def _python_version() -> str:
    python = _output(str(build.peer_python()), "--version").removeprefix("Python ")
    return f"python-socketio {_required('python-socketio')}, aiohttp {_required('aiohttp')}, CPython {python}"


def _floor(launch: Launch) -> Command:
    return Command([str(build.floor_program()), str(launch.port)], environment())


def _batch(launch: Launch) -> Command:
    return Command([*_floor(launch).argv, "batch"], environment())


def _floor_version() -> str:
    return "bench/peers/floor.c"


# The default servers of a run. `batch` is only in the fan-out: there it shows the limit of the generator.
# `node-redis` and `node-streams` are one of several nodes, in `cluster` only.
# `node-sqlite` is where each recipient gets few messages: there it shows the cost of storing them.
USUAL: Final = ("chatd", "chatd-compiled", "node", "bun", "python", "floor")

PEERS: Final[Mapping[str, Peer]] = {
    peer.name: peer
    for peer in (
        Peer("chatd", "chatd", _chatd, _chatd_version),
        Peer("node", "Node socket.io + ws", _node, _node_version),
        Peer("bun", "Bun + bun-engine", _bun, _bun_version),
        Peer("python", "python-socketio + aiohttp", _python, _python_version),
        Peer("floor", "C, one send() each", _floor, _floor_version),
        Peer("batch", "C, one send() a turn", _batch, _floor_version),
        Peer("node-sqlite", "Node socket.io + better-sqlite3", _node_sqlite, _node_sqlite_version),
        Peer("node-redis", "Node socket.io + redis-adapter", _node_redis, _node_redis_version),
        Peer("node-streams", "Node socket.io + redis-streams-adapter", _node_streams, _node_streams_version),
        Peer("chatd-compiled", "chatd, compiled", _chatd_compiled, _chatd_compiled_version),
    )
}
