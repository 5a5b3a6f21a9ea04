"""`chatd serve` under attack: its log is always read, because a full pipe would block it; its memory is watched."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.chat.daemon import spawn
from tests.chat.people import SECRET
from tests.conformance.wire import Client

START_S = 20.0


class Victim:
    """A running daemon."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: Counter[str] = Counter()  # how often each message was logged
        self.faults: list[dict[str, Any]] = []
        self.listening: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.api: tuple[str, int]
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @property
    def open_sessions(self) -> int:
        return self.said["session open"] - self.said["session closed"]

    @property
    def descriptors(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    @property
    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self._reading
        await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        while raw := await self.process.stderr.readline():
            line = json.loads(raw)
            self.said[line["message"]] += 1
            if line["message"] == "listening for other systems":
                self.api = line["host"], line["port"]
            if line["message"] == "listening":
                self.listening.set_result(line)
            if line["level"] in ("error", "critical") or "error" in line:
                self.faults.append(line)


def _public_key() -> bytes:
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@contextlib.asynccontextmanager
async def victim(db: Path, *flags: str) -> AsyncIterator[tuple[Victim, Client]]:
    """A daemon, and a client of it for honest users. It accepts tokens signed with the secret of all tests or with an
    ES384 key that no test has: attackers use the second kind to cause the cost of a failed verification.
    """
    secret, key = db.with_name("secret"), db.with_name("public.pem")
    secret.write_text(SECRET)
    key.write_bytes(_public_key())
    running = Victim(await spawn("--db", db, "--jwt-secret-file", secret, "--jwt-public-key-file", key, *flags))
    try:
        async with asyncio.timeout(START_S):
            listening = await running.listening
        async with Client(listening["host"], listening["port"], listening["path"]) as client:
            yield running, client
    finally:
        await running.end()
