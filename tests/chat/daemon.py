"""`chatd serve` as a process of its own, for tests of signals, resource limits, and two daemons."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.chat.people import SECRET, Person, enter
from tests.cli.command import cause_of
from tests.conformance.wire import Client

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 20.0

UNHURRIED: Final = {"CHATD_MESSAGE_RATE": "0", "CHATD_MAX_CHARS_PER_MINUTE": "0", "CHATD_PRESENCE": "off"}
"""No limit on the rate of messages, and no presence events."""


class Daemon:
    """A process that listens; `log` has the lines read so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []
        self.client: Client

    async def logged(self, message: str) -> dict[str, Any]:
        """Read the log up to that message. Fails with the log if the process ends before."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stderr.readline():
                try:
                    self.log.append(json.loads(line))
                except ValueError as error:
                    raise AssertionError(line.decode()) from error
                if self.log[-1]["message"] == message:
                    return self.log[-1]
        raise AssertionError(f"it ended and never said {message!r}: {self.log}")

    async def enter(self, user: str, rol: str = "user") -> Person:
        """A socket of `user`, by cookie, that has joined the main namespace."""
        return await enter(self.client, user, rol)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for the end of the process; return the exit code."""
        async with asyncio.timeout(PATIENCE_S):
            await self.read_log()
            return await self.process.wait()

    async def read_log(self) -> None:
        """Read the log to its end. A daemon blocks when the pipe of its log is full."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log.append(json.loads(line))

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The error lines of the log."""
        return [line for line in self.log if line["level"] in ("error", "critical")]


async def spawn(*flags: str | Path, before: Sequence[str] = ()) -> asyncio.subprocess.Process:
    """Start `chatd serve` on a free port. No other variable of chatd is in its environment; the secret is left out
    if the flags name files with keys.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHATD_")}
    if "--jwt-secret-file" not in flags:
        environ["CHATD_JWT_SECRET"] = SECRET
    if "--admin-socket-file" not in flags and any(str(flag).startswith("postgresql:") for flag in flags):
        environ["CHATD_ADMIN_SOCKET"] = "false"  # the socket would be in the working directory
    return await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-m", "chatd", "serve", "--port", "0", "--log-format", "json", *map(str, flags)),
        cwd=ROOT,
        env={**environ, **UNHURRIED},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@contextlib.asynccontextmanager
async def daemon(db: object, *flags: str | Path, before: Sequence[str] = ()) -> AsyncIterator[Daemon]:
    """A daemon that listens, started by the command `before` if that is given. At the end it is killed."""
    running = Daemon(await spawn("--db", str(db), *flags, before=before))
    try:
        listening = await running.logged("listening")
        async with Client(listening["host"], listening["port"], listening["path"]) as client:
            running.client = client
            yield running
    finally:
        if running.process.returncode is None:
            running.process.kill()
        await running.process.communicate()


async def complaint(*flags: str | Path) -> tuple[int, str]:
    """The exit code of a daemon that cannot run, and the cause from the last line of its log."""
    process = await spawn(*flags)
    async with asyncio.timeout(PATIENCE_S):
        printed, said = await process.communicate()
    assert printed == b""
    assert process.returncode is not None
    return process.returncode, cause_of(said.decode().splitlines()[-1])
