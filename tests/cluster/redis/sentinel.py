"""A master, a replica and a Sentinel that promotes it: three real processes on free ports."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.ports import free_port
from tests.ops.tools import tool

NAME = "chat"


class Watched:
    """`master` and `replica` are ports; the Sentinel listens on `port`."""

    def __init__(self, folder: Path) -> None:
        self.master, self.replica, self.port = free_port(), free_port(), free_port()
        self.nobody = free_port()
        self._folder = folder
        self._program = tool("redis-server", "redis-server")
        self._processes: dict[int, subprocess.Popen[str]] = {}

    @property
    def url(self) -> str:
        """The URL of two Sentinels, the first of which does not exist."""
        return f"redis+sentinel://127.0.0.1:{self.nobody},127.0.0.1:{self.port}/{NAME}"

    def __enter__(self) -> Self:
        self._redis(self.master)
        self._redis(self.replica, "--replicaof", "127.0.0.1", str(self.master))
        self._until(self.replica, "MASTER <-> REPLICA sync: Finished with success")
        config = self._folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self._folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self.master} 1\n"
            f"sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 4000\n"
        )
        self._run(self.port, str(config), "--sentinel")
        self._until(self.port, "+slave ")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for port in list(self._processes):
            self.kill(port)

    def kill(self, port: int) -> None:
        """SIGKILL, like a power cut."""
        process = self._processes.pop(port)
        process.kill()
        process.communicate()

    def until_promoted(self) -> None:
        """Wait until the Sentinel names the replica as master."""
        self._until(self.port, "+switch-master")

    def _redis(self, port: int, *options: str) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        own = ("--bind", "127.0.0.1", "--save", "", "--dir", str(folder), "--repl-diskless-sync-delay", "0")
        self._run(port, "--port", str(port), *own, *options)
        self._until(port, "eady to accept connections")

    def _run(self, port: int, *arguments: str) -> None:
        self._processes[port] = subprocess.Popen(
            [self._program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def _until(self, port: int, words: str) -> None:
        """Read the log of that process."""
        output = self._processes[port].stdout
        assert output is not None
        for line in output:
            if words in line:
                return
        raise AssertionError(f"it ended and never said {words!r}")


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    place = folder / "sentinel"
    place.mkdir()
    with Watched(place) as found:
        yield found
