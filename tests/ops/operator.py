"""A daemon process, seen through the tools of an operator."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.chat.daemon import Daemon, daemon
from tests.conformance.wire import Answer, Client
from tests.store.rig import Base

Sample = tuple[str, frozenset[tuple[str, str]]]
"""A metric's name and labels."""


class Operator:
    """Sends requests to the internal listener."""

    def __init__(self, chatd: Daemon) -> None:
        self.chatd = chatd
        [where] = [line for line in chatd.log if line["message"] == "listening for operators"]
        self.host, self.port = where["host"], where["port"]

    async def get(self, path: str, method: str = "GET") -> Answer:
        async with Client(self.host, self.port, path) as client:
            return await client.request(method)

    async def metrics(self) -> Metrics:
        answer = await self.get("/metrics")
        assert (answer.status, answer.header("content-type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return Metrics(answer.text)


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.types = {family.name: family.type for family in families}
        self.names = {sample.name for family in families for sample in family.samples}
        self._samples: Mapping[Sample, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._samples[name, frozenset(labels.items())]

    def labels_of(self, name: str) -> set[frozenset[tuple[str, str]]]:
        return {labels for sample, labels in self._samples if sample == name}


@contextlib.asynccontextmanager
async def operated(db: Base, *flags: str) -> AsyncIterator[Operator]:
    """A daemon with an internal listener."""
    async with daemon(db, "--internal", "127.0.0.1:0", *flags) as chatd:
        yield Operator(chatd)


def resident_kb(chatd: Daemon) -> int:
    """Resident memory in kB of 1024 bytes, as the kernel counts."""
    [line] = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{chatd.process.pid}/status").read_text())
    return int(line)


def listening_sockets(chatd: Daemon) -> int:
    """The number of listening TCP sockets of the process."""
    listening = "0A"
    rows = [line.split() for line in Path(f"/proc/{chatd.process.pid}/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[3] == listening}
    opened = []
    for file in Path(f"/proc/{chatd.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor was closed meanwhile
            opened.append(str(file.readlink()))
    return sum(name in inodes for name in opened)
