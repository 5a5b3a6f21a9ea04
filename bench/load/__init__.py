"""The Python side of the load generator: commands out, results in. The C program (load.h) does the work."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import msgspec

from bench import build
from bench.machine import pinned

T = TypeVar("T")

# Numbers of connection groups; load.h allows eight.
ADMINS: Final = 0
SENDER: Final = 1
CROWD: Final = 2
BYSTANDERS: Final = 3


class LoadError(Exception):
    """The run has no result: a message was lost, duplicated or refused, or the run stalled. The message says which."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The figures of a histogram, in nanoseconds; buckets are at most 1.6 % wide."""

    count: int
    mean: int
    p50: int
    p90: int
    p99: int
    p999: int
    max: int


NOTHING: Final = Latency(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Opened:
    """`handshake_ns` is from connect() to the answer to the namespace CONNECT."""

    opened: int
    failed: int
    seconds: float
    handshake_ns: Latency


@dataclass(frozen=True, slots=True)
class Closed:
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workload. CPU times are of whole processes; `reads` are recv() calls of the generator."""

    messages: int
    completed: int
    deliveries: int
    acks: int
    seconds: float
    server_cpu_s: float
    load_cpu_s: float
    bytes_in: int
    reads: int
    kept_up: bool
    delivery_ns: Latency
    complete_ns: Latency
    lag_ns: Latency = NOTHING
    storm_ns: Latency = NOTHING
    handshake_ns: Latency = NOTHING
    opened: int = 0
    failed: int = 0
    storm_s: float = 0.0

    @property
    def deliveries_per_s(self) -> float:
        return self.deliveries / self.seconds

    @property
    def messages_per_s(self) -> float:
        return self.completed / self.seconds

    @property
    def server_us_per_delivery(self) -> float:
        return self.server_cpu_s / max(1, self.deliveries) * 1e6

    @property
    def load_us_per_delivery(self) -> float:
        return self.load_cpu_s / max(1, self.deliveries) * 1e6


@dataclass(frozen=True, slots=True)
class Storm:
    """Connections that are all started at once, one second into an open loop, which runs until they have joined."""

    group: int
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One sender, one room of recipients. With `in_flight` a closed loop, with `rate` (messages/s) an open one."""

    para: str
    de: str
    seconds: float
    sender: int = SENDER
    recipients: int = ADMINS
    payload_bytes: int = 64
    ack: bool = False
    in_flight: int = 0
    warm_s: float = 0.0
    rate: float = 0.0
    patience_s: float = 2.0
    storm: Storm | None = None

    def line(self) -> str:
        words = [f"run from={self.sender} to={self.recipients} para={self.para} de={self.de}"]
        words += [f"bytes={self.payload_bytes} ack={int(self.ack)} seconds={self.seconds:g} warm={self.warm_s:g}"]
        words += [f"inflight={self.in_flight} rate={self.rate:g} patience={self.patience_s:g}"]
        if self.storm is not None:
            words += [f"storm=1 sgroup={self.storm.group} sfirst={self.storm.first} scount={self.storm.count}"]
        return " ".join(words)


@dataclass(slots=True)
class Load:
    """A running generator, as a context manager; after a LoadError it has ended. `name` is for messages."""

    name: str
    port: int
    server_pid: int
    tokens: Path
    core: int
    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Load:
        program = [str(build.load_program()), str(self.port), str(self.server_pid), str(self.tokens)]
        with pinned(self.core):
            self._process = subprocess.Popen(
                program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def open(self, group: int, first_token: int, count: int, parallel: int = 64, *, other_port: int = 0) -> Opened:
        """Connect `count` clients with the tokens from number `first_token` on, `parallel` at a time.

        Clients with an odd token number connect to `other_port`, if it is given.
        """
        line = f"open group={group} first={first_token} count={count} parallel={parallel} other={other_port}"
        opened = self._ask(line, Opened)
        if opened.failed:
            raise LoadError(f"{opened.failed} of {count} connections were closed before they were ready")
        return opened

    def close(self, group: int, *, reset: bool = False) -> Closed:
        """Close normally and wait until the server has closed them all; with `reset`, abort the connections."""
        return self._ask(f"close group={group} reset={int(reset)}", Closed)

    def run(self, workload: Workload) -> Run:
        return self._ask(workload.line(), Run)

    def _ask(self, line: str, kind: type[T]) -> T:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise LoadError(self._process.stdout.read() or "the load generator ended") from error
        answer = self._process.stdout.readline()
        if not answer:
            raise LoadError(f"the load generator died: exit code {self._process.wait()}")
        match msgspec.json.decode(answer):
            case {"ok": True, **result}:
                return msgspec.convert(result, kind)
            case {"error": str(message)}:
                raise LoadError(f"{self.name}, {line}: {message}")
        raise AssertionError(answer)
