"""Servers as child processes: started on a port, stopped by a real signal, started again on the same port."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 180.0  # `make run` installs before it starts
STOP_S: Final = 20.0


class ServerError(AssertionError):
    """A server did not start, or did not stop after a signal."""


@dataclasses.dataclass(slots=True)
class Server:
    """A server that can be stopped and started again; `command` contains its port."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once the port accepts connections. Raises ServerError with the server's output."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not accepts(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{self.command} did not start:\n{self.log.read_text()}")

    def send(self, what: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(what)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """SIGSTOP during the block, then SIGCONT."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the process to exit. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(by)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerError(f"still running {STOP_S} s after {by.name}:\n{self.log.read_text()}") from None


def accepts(port: int) -> bool:
    """Whether the port accepts a connection. If not, wait a moment, so that it can be called in a loop."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        time.sleep(0.02)
        return False
    return True


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, *, ends_with: int = 0) -> Iterator[Server]:
    """Run a server during the block, then send SIGTERM. It must exit with `ends_with`: 0 if it handles the signal."""
    server = Server(command, port, log)
    server.start()
    try:
        yield server
    finally:
        code = server.stop() if server.process and server.process.poll() is None else ends_with
    if code != ends_with:
        raise ServerError(f"{command} ended with code {code}:\n{log.read_text()}")


def echo_command(port: int) -> list[str]:
    """The echo server of tests/interop/echo.py, which uses chatd/socketio only."""
    return [sys.executable, "-m", "tests.interop.echo", "--port", str(port)]


def node_echo_command(port: int) -> list[str]:
    """The same on the reference implementation, as far as the reconnection tests need it."""
    return ["node", str(Path(__file__).with_name("node_echo.mjs")), str(port)]


def strict_echo_command(port: int) -> list[str]:
    """The server for the official test suites: a ping every 300 ms, with a timeout of 2 s."""
    return [sys.executable, "-m", "tests.conformance.socketio_echo", "--port", str(port)]


def chat_command(port: int, db: Path, secret_file: Path, *flags: str) -> list[str]:
    """The real daemon."""
    files = ["--db", str(db), "--jwt-secret-file", str(secret_file)]
    return [sys.executable, "-m", "chatd", "serve", "--host", "127.0.0.1", "--port", str(port), *files, *flags]


def on_clock(command: list[str], offset_file: Path) -> list[str]:
    """The command of a daemon, on a wall clock that `set_clock` changes."""
    python, _, module, *arguments = command
    assert module == "chatd"
    clock = ["env", f"CLOCK_OFFSET_FILE={offset_file}", python, "-m", "tests.durability.with_clock"]
    return [*clock, *arguments]


def set_clock(server: Server, offset_file: Path, offset_s: int) -> None:
    """Set the clock of a daemon that was started by `on_clock` to `offset_s` from the true time."""
    offset_file.write_text(str(offset_s))
    server.send(signal.SIGUSR1)
