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
from typing import Final

from bench.machine import children, cpu_s, open_files, pinned, resident_bytes
from bench.peers import Command, Launch, Peer
from bench.ports import free_port

LOG: Final = "server.log"
START_TIMEOUT_S: Final = 30.0
LONG_PING_S: Final = 450.0  # no heartbeats in throughput figures; `connections` uses the usual 25 s


class ServerError(Exception):
    """A server did not start or died; the message has the end of its log."""


@dataclass(slots=True)
class Server:
    peer: Peer
    launch: Launch
    command: Command
    core: int
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.launch.port

    @property
    def log(self) -> Path:
        return self.launch.folder / LOG

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
        """Figures are of one process: raise if the server has died, or has child processes."""
        if self.process.poll() is not None:
            raise ServerError(f"{self.peer.name} ended with code {self.process.returncode}:\n{self.last_words()}")
        if children(self.pid):
            raise ServerError(f"{self.peer.name} has child processes, whose CPU and memory would not be counted")

    def restart(self) -> None:
        """Kill it with SIGKILL and start it again, with the same port and the same files."""
        self.kill()
        self.process = _start(self.command, self.log, self.core)
        _wait_until_it_accepts(self)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def running(peer: Peer, core: int, ping_interval_s: float = LONG_PING_S) -> Iterator[Server]:
    """Start a server, wait until it accepts connections, and end it after the block."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{peer.name}-") as folder:
        launch = Launch(free_port(), ping_interval_s, Path(folder))
        command = peer.command(launch)
        server = Server(peer, launch, command, core, _start(command, Path(folder) / LOG, core))
        try:
            _wait_until_it_accepts(server)
            yield server
        finally:
            server.kill()


def _start(command: Command, log: Path, core: int) -> subprocess.Popen[bytes]:
    with log.open("ab") as output, pinned(core):
        return subprocess.Popen(
            command.argv, env=command.env, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def _wait_until_it_accepts(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        server.check()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.02)
    raise ServerError(f"{server.peer.name} does not accept connections:\n{server.last_words()}")
