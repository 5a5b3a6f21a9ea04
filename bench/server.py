"""A server under test: a process on its own core, in its own folder."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bench.machine import children, cpu_s, open_files, pinned, resident_bytes
from bench.peers import Launch, Peer

START_TIMEOUT_S: Final = 30.0
LONG_PING_S: Final = 450.0  # heartbeats are kept out of throughput figures; `connections` uses the usual 25 s


class ServerError(Exception):
    """A server did not start or died; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Server:
    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def resident_bytes(self) -> int:
        return resident_bytes(self.pid)

    def open_files(self) -> int:
        return open_files(self.pid)

    def check(self) -> None:
        """Figures are of one process: raise when the server has died, or has started others."""
        if self.process.poll() is not None:
            raise ServerError(f"{self.peer.name} ended with code {self.process.returncode}:\n{self.last_words()}")
        if children(self.pid):
            raise ServerError(f"{self.peer.name} has child processes, whose CPU and memory would not be counted")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def running(peer: Peer, core: int, ping_interval_s: float = LONG_PING_S) -> Iterator[Server]:
    """Start a server, wait until it accepts, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{peer.name}-") as folder:
        log = Path(folder) / "server.log"
        launch = Launch(_free_port(), ping_interval_s, Path(folder))
        with log.open("wb") as output:
            process = _start(peer, launch, core, output)
        server = Server(peer, launch.port, process, log)
        try:
            _wait_until_it_accepts(server)
            yield server
        finally:
            process.kill()
            process.wait()


def _start(peer: Peer, launch: Launch, core: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    command = peer.command(launch)
    with pinned(core):
        return subprocess.Popen(
            command.argv, env=command.env, cwd=launch.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


def _wait_until_it_accepts(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        server.check()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.02)
    raise ServerError(f"{server.peer.name} does not accept connections:\n{server.last_words()}")
