"""Connections: what 10,000 authenticated, idle WebSocket clients cost, and what happens when they come at once.

memory      Resident memory of the server with all of them, minus that with two, divided by their number.
connect     CPU of the server to accept, verify and join one (handshake, JWT signature, rooms), 64 at a time; every
            client has a token of its own, so no verification can be remembered. The best of the rounds: the first
            one also pays for warming up a JIT.
pause       Worst latency of a steady stream of 500 messages a second from one user to one admin while all the others
            are idle: the longest stall of the server's loop, its garbage collector included.
storm       All lines are cut, then all clients reconnect at once while the same stream goes on: its p99, how long
            until the last one is ready, how long one waited at worst (socket.io-client gives up after 20 s).
churn       Connect and disconnect all of them, again and again: resident memory must not grow.

Heartbeats are as by default (25 s), since a server that keeps 10,000 clients has to send them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench import svg
from bench.load import ADMINS, CROWD, SENDER, LoadError, Opened, Run, Storm, Workload
from bench.options import Options
from bench.peers import PEERS
from bench.report import Report, colour, milliseconds
from bench.rig import People, Rig, admin_name, rig, say, user_name

CONNECTIONS: Final = 10_000
PARALLEL: Final = 64
STREAM_RATE: Final = 500
PAUSE_S: Final = 5.0
CHURN_ROUNDS: Final = 10
CHURN_ROUNDS_OF_PEERS: Final = 2  # 10 with --full: at 0.8 ms a connection they would take minutes
PING_INTERVAL_S: Final = 25.0
SETTLE_TIMEOUT_S: Final = 5.0
CLOSE_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one server. Sizes in bytes, CPU in seconds for one connection; `full` and `empty` are RSS in each round."""

    start_bytes: int
    per_connection_bytes: float
    connect_cpu_s: list[float]
    opened: Opened
    pause: Run
    storm: Run
    full_bytes: list[int]
    empty_bytes: list[int]


def run(options: Options) -> None:
    report = Report("connections", options.servers(), options.folder)
    count = options.connections or CONNECTIONS
    figures: dict[str, Figures] = {}
    for name in report.servers:
        rounds = CHURN_ROUNDS if name == "chatd" or options.full else CHURN_ROUNDS_OF_PEERS
        say(f"connections {name}")
        figures[name] = measure(name, count, rounds, options.seconds or PAUSE_S)
        report.add(name, {"connections": count, "churn_rounds": rounds}, asdict(figures[name]))
    _tables(report, figures, count)
    _charts(report, figures, count)
    report.write()


def measure(name: str, count: int, rounds: int, pause_s: float) -> Figures:
    """One server through the whole course; others are not up meanwhile."""
    with rig(PEERS[name], People(1, 1 + count), PING_INTERVAL_S) as stand:
        start = stand.server.resident_bytes()
        stand.load.open(ADMINS, 0, 1)
        stand.load.open(SENDER, 1, 1)
        stand.run(_stream(0.5))
        two, few_files = _settled_bytes(stand), stand.server.open_files()
        cpu, opened = [], []
        full, empty = [], []
        pause = storm = None
        for number in range(rounds):
            before = stand.server.cpu_s()
            opened.append(stand.load.open(CROWD, 2, count, PARALLEL))
            cpu.append((stand.server.cpu_s() - before) / count)
            full.append(_settled_bytes(stand))
            if number == 0:
                pause = stand.run(_stream(pause_s))
                stand.load.close(CROWD, reset=True)
                _wait_until_gone(stand, few_files)
                storm = stand.run(_stream(1.0, Storm(CROWD, 2, count)))
            stand.load.close(CROWD)
            _wait_until_gone(stand, few_files)
            empty.append(_settled_bytes(stand))
        assert pause is not None
        assert storm is not None
        return Figures(start, (full[0] - two) / count, cpu, opened[-1], pause, storm, full, empty)


def _stream(seconds: float, storm: Storm | None = None) -> Workload:
    return Workload(
        para=admin_name(0), de=user_name(0), rate=STREAM_RATE, seconds=seconds, patience_s=60.0, storm=storm
    )


def _settled_bytes(stand: Rig) -> int:
    """Resident memory once it moves by less than half a percent in 0.2 s."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    last = stand.server.resident_bytes()
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = stand.server.resident_bytes()
        if abs(now - last) < now / 200:
            return now
        last = now
    return last


def _wait_until_gone(stand: Rig, files: int) -> None:
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    while stand.server.open_files() > files:
        stand.server.check()
        if time.monotonic() > deadline:
            raise LoadError(f"{stand.name} keeps {stand.server.open_files() - files} closed connections open")
        time.sleep(0.02)


# ---- what is shown ----


def _tables(report: Report, figures: Mapping[str, Figures], count: int) -> None:
    head = ["server", "memory at start", "memory per connection", "CPU to connect one", "first round", "longest pause"]
    rows = [
        [
            name,
            f"{f.start_bytes / 2**20:.0f} MiB",
            f"{f.per_connection_bytes / 1024:.1f} KiB",
            f"{min(f.connect_cpu_s) * 1e6:.0f} us",
            f"{f.connect_cpu_s[0] * 1e6:.0f} us",
            milliseconds(f.pause.delivery_ns.max),
        ]
        for name, f in figures.items()
    ]
    report.table(f"connections: {count} idle clients", head, rows)
    head = ["server", "stream p99 before", "p99 during", "worst", "all ready after", "one waited at most", "refused"]
    rows = [
        [
            name,
            milliseconds(f.pause.delivery_ns.p99),
            milliseconds(f.storm.storm_ns.p99),
            milliseconds(f.storm.storm_ns.max),
            f"{f.storm.storm_s:.2f} s",
            f"{f.storm.handshake_ns.max / 1e9:.2f} s",
            str(f.storm.failed),
        ]
        for name, f in figures.items()
    ]
    report.table(f"connections: {count} reconnect at once, beside a stream of {STREAM_RATE} messages/s", head, rows)
    rows = [
        [name, str(len(f.full_bytes)), _mebibytes(f.full_bytes), _mebibytes(f.empty_bytes)]
        for name, f in figures.items()
    ]
    head = ["server", "rounds", "MiB full: first, last", "MiB empty: first, last"]
    report.table(f"connections: {count} connect and disconnect, resident memory", head, rows)


def _mebibytes(sizes: Sequence[int]) -> str:
    return f"{sizes[0] / 2**20:.0f}, {sizes[-1] / 2**20:.0f}"


def _charts(report: Report, figures: Mapping[str, Figures], count: int) -> None:
    memory = svg.Bars(
        title="Memory per authenticated, idle WebSocket connection",
        subtitle=f"resident memory of the server process at {count:,} connections",
        series=[
            svg.Series(PEERS[name].title, [f.per_connection_bytes / 1024], colour(name)) for name, f in figures.items()
        ],
        groups=["memory"],
        unit="KiB",
    )
    report.chart("connections-memory", memory.render())
    cost = svg.Bars(
        title="CPU to accept, verify and join one connection",
        subtitle="WebSocket handshake, HS256 JWT from a cookie, rooms; best round",
        series=[
            svg.Series(PEERS[name].title, [min(f.connect_cpu_s) * 1e6], colour(name)) for name, f in figures.items()
        ],
        groups=["connect"],
        unit="microseconds",
    )
    report.chart("connections-cpu", cost.render())
