"""Connections: the cost of 10,000 authenticated, idle WebSocket clients, and of connecting all at once.

memory      Resident memory of the server with all of them, minus that with two, divided by their number.
connect     CPU of the server to accept, verify and join one (handshake, JWT signature, rooms), 64 at a time; every
client has its own token, so no verification can be cached. The best of the rounds: the first
one includes the warm-up of a JIT.
pause       Worst latency of a steady stream of 500 messages a second from one user to one admin while all the others
            are idle: the longest stall of the server's loop, its garbage collector included.
churn       Connect and disconnect all of them repeatedly: resident memory must not grow.
storm       On a fresh server, as after a restart: all connect at once during the same stream. Its p99, the time
until the last client has joined, the longest join (socket.io-client gives up after 20 s).

Heartbeats have the default interval (25 s), since a server with 10,000 clients has to send them.
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
PAUSE_S: Final = 2.0
CHURN_ROUNDS: Final = 10
# With --full all have ten: at 0.8 ms a connection that takes minutes. python-socketio scans all rooms for each
# disconnect, which takes a minute of CPU for 10,000: it gets one round and is not emptied.
CHURN_ROUNDS_OF_PEERS: Final = {"node": 2, "bun": 2, "floor": 2, "batch": 2, "python": 1}
PING_INTERVAL_S: Final = 25.0
QUIET_TIMEOUT_S: Final = 120.0
QUIET_SAMPLE_S: Final = 0.2
QUIET_SHARE: Final = 0.1  # of a core: heartbeats of 10,000 take some hundredths
CLOSE_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one server. Sizes in bytes, CPU in seconds per connection; `full` and `empty` are RSS by round."""

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
        rounds = CHURN_ROUNDS if options.full else CHURN_ROUNDS_OF_PEERS.get(name, CHURN_ROUNDS)
        say(f"connections {name}")
        figures[name] = measure(name, count, rounds, options.seconds or PAUSE_S)
        report.add(name, {"connections": count, "churn_rounds": rounds}, asdict(figures[name]))
        report.write()  # minutes are spent on each
    _tables(report, figures, count)
    _charts(report, figures, count)
    report.write()


def measure(name: str, count: int, rounds: int, pause_s: float) -> Figures:
    """Measure one server; no other server runs meanwhile."""
    people = People(1, 1 + count)
    with rig(PEERS[name], people, PING_INTERVAL_S) as stand:
        start = stand.server.resident_bytes()
        _stream_starts(stand)
        two, files = _quiet_bytes(stand), stand.server.open_files()
        fills = [_fill(stand, count)]
        pause = stand.run(_stream(pause_s))
        empty = []
        for _ in range(rounds - 1):
            empty.append(_empty(stand, files))
            fills.append(_fill(stand, count))
        if rounds > 1:
            empty.append(_empty(stand, files))
    with rig(PEERS[name], people, PING_INTERVAL_S) as stand:
        _stream_starts(stand)
        storm = stand.run(_stream(1.0, Storm(CROWD, 2, count)))
    full = [fill.full_bytes for fill in fills]
    return Figures(
        start_bytes=start,
        per_connection_bytes=(full[0] - two) / count,
        connect_cpu_s=[fill.cpu_s for fill in fills],
        opened=fills[-1].opened,
        pause=pause,
        storm=storm,
        full_bytes=full,
        empty_bytes=empty,
    )


@dataclass(frozen=True, slots=True)
class Fill:
    """All clients are connected: CPU of the server for each, and its resident memory."""

    opened: Opened
    cpu_s: float
    full_bytes: int


def _stream_starts(stand: Rig) -> None:
    """One admin, one user, and half a second of messages: a warm-up of what a server loads late."""
    stand.load.open(ADMINS, 0, 1)
    stand.load.open(SENDER, 1, 1)
    stand.run(_stream(0.5))


def _fill(stand: Rig, count: int) -> Fill:
    before = stand.server.cpu_s()
    opened = stand.load.open(CROWD, 2, count, PARALLEL)
    cpu_s = (stand.server.cpu_s() - before) / count
    return Fill(opened, cpu_s, _quiet_bytes(stand))


def _empty(stand: Rig, files: int) -> int:
    """Disconnect all clients; return the resident memory afterwards."""
    stand.load.close(CROWD)
    _wait_until_gone(stand, files)
    return _quiet_bytes(stand)


def _stream(seconds: float, storm: Storm | None = None) -> Workload:
    return Workload(
        para=admin_name(0), de=user_name(0), rate=STREAM_RATE, seconds=seconds, patience_s=60.0, storm=storm
    )


def _quiet_bytes(stand: Rig) -> int:
    """Resident memory once the server is idle."""
    deadline = time.monotonic() + QUIET_TIMEOUT_S
    while time.monotonic() < deadline:
        before = stand.server.cpu_s()
        time.sleep(QUIET_SAMPLE_S)
        if stand.server.cpu_s() - before < QUIET_SHARE * QUIET_SAMPLE_S:
            return stand.server.resident_bytes()
    raise LoadError(f"{stand.name} is still busy after {QUIET_TIMEOUT_S:g} s without work")


def _wait_until_gone(stand: Rig, files: int) -> None:
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    while stand.server.open_files() > files:
        stand.server.check()
        if time.monotonic() > deadline:
            raise LoadError(f"{stand.name} keeps {stand.server.open_files() - files} closed connections open")
        time.sleep(0.02)


# ---- output ----


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
    report.table(f"connections: {count} connect at once, beside a stream of {STREAM_RATE} messages/s", head, rows)
    rows = [
        [name, str(len(f.full_bytes)), _mebibytes(f.full_bytes), _mebibytes(f.empty_bytes)]
        for name, f in figures.items()
    ]
    head = ["server", "rounds", "MiB full: first, last", "MiB empty: first, last"]
    report.table(f"connections: {count} connect and disconnect, resident memory", head, rows)


def _mebibytes(sizes: Sequence[int]) -> str:
    if not sizes:
        return "-"
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
