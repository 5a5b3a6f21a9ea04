"""A real redis-server in its own folder, on a unix socket, which a test can kill, suspend and restart."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from chatd.cluster.redis.address import RedisAddress
from tests.ops.tools import tool


class RedisServer:
    def __init__(self, folder: Path, *options: str) -> None:
        self.path = folder / "redis.sock"
        self._options = options
        self._folder = folder
        self._program = tool("redis-server", "redis-server")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def address(self, **login: str | int) -> RedisAddress:
        return RedisAddress("", 0, str(self.path), **login)  # type: ignore[arg-type]

    def start(self) -> None:
        """Returns when the server answers."""
        command = [
            self._program,
            "--port",
            "0",
            "--unixsocket",
            str(self.path),
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self._process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "ready to accept connections" in line.lower():
                return
        raise AssertionError("redis-server ended")

    def kill(self) -> None:
        """SIGKILL, like a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            self.path.unlink(missing_ok=True)

    def publish(self, channel: str, data: bytes) -> int:
        """Publish a message; return the number of subscribers that got it."""
        with socket.socket(socket.AF_UNIX) as one, one.makefile("rb") as answers:
            one.connect(str(self.path))
            words = (b"PUBLISH", channel.encode("latin-1"), data)
            one.sendall(b"*3\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
            return int(answers.readline()[1:])

    def counts(self) -> int:
        """How often PUBSUB NUMSUB was called since the start of the server."""
        with socket.socket(socket.AF_UNIX) as one, one.makefile("rb") as answers:
            one.connect(str(self.path))
            one.sendall(b"INFO commandstats\r\n")
            found = re.search(rb"cmdstat_pubsub\|numsub:calls=(\d+)", answers.read(int(answers.readline()[1:])))
            return 0 if found is None else int(found[1])

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
