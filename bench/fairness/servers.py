"""The servers of this benchmark: chatd with the default limits, and Node.

chatd also gets the internal listener, for `/healthz`; and for some floods a public key, the
database of a busy chat, or recovery. Node answers `/healthz` on its main port.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
from collections.abc import Iterator
from typing import Final

from bench import machine, manyrows, tokens
from bench.fairness.floods import MANY_ROWS, Flood
from bench.fairness.keys import Signer, signer
from bench.peers import PEERS, Command, Launch, Peer, environment
from bench.ports import free_port
from bench.server import Server, running

PING_INTERVAL_S: Final = 25.0


@dataclasses.dataclass(frozen=True, slots=True)
class Stand:
    """A running server, the port of its `/healthz`, and the signer of its tokens."""

    server: Server
    health_port: int
    signer: Signer


@contextlib.contextmanager
def stand(name: str, flood: Flood) -> Iterator[Stand]:
    """A fresh server for one flood."""
    signs, internal_port = signer(flood.key), free_port()
    peer = _as_shipped(flood, signs, internal_port) if name == "chatd" else PEERS[name]
    with running(peer, machine.cores().server, PING_INTERVAL_S) as server:
        yield Stand(server, internal_port if name == "chatd" else server.port, signs)


def _as_shipped(flood: Flood, signs: Signer, internal_port: int) -> Peer:
    def command(launch: Launch) -> Command:
        db = launch.folder / "chat.db"
        if flood.many_rows:
            shutil.copy(manyrows.database(MANY_ROWS), db)
        argv = [sys.executable, "-m", "chatd", "serve", "--host", "127.0.0.1", "--port", str(launch.port)]
        argv += ["--db", str(db), "--internal", f"127.0.0.1:{internal_port}", "--log-level", "warning"]
        return Command([*argv, *_key(launch, signs)], environment(**flood.settings))

    return dataclasses.replace(PEERS["chatd"], command=command)


def _key(launch: Launch, signs: Signer) -> list[str]:
    if signs.public_pem:
        path = launch.folder / "public.pem"
        path.write_bytes(signs.public_pem)
        return ["--jwt-public-key-file", str(path)]
    path = launch.folder / "secret"
    path.write_text(tokens.SECRET)
    path.chmod(0o600)
    return ["--jwt-secret-file", str(path)]
