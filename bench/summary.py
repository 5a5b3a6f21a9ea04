"""The main table: one line for each goal, one column for each server, from the result files in a folder.

The README shows it, with the date, the commit and the machine of the run. The last columns are the most important:
ratios within one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import svg
from bench.peers import PEERS
from bench.report import colour, count, milliseconds

Record = dict[str, Any]

NEEDED: Final = ("fanout", "rate", "relay", "connections")
COLUMNS: Final = ("chatd", "chatd-compiled", "node", "node-sqlite", "bun", "python", "floor")
COMPARED: Final = (
    ("chatd", "node"),
    ("chatd-compiled", "node"),
    ("chatd", "node-sqlite"),
    ("chatd", "floor"),
)
TEAM: Final = 10
ADMINS: Final = 1_000
NOT_MEASURED: Final = "-"
BEHIND: Final = "behind"


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the table. `value` is None if a server does not keep up."""

    title: str
    benchmark: str
    case: Mapping[str, Any]
    value: Callable[[Record], float | None]
    shown: Callable[[float], str]


def _per_s(field: str) -> Callable[[Record], float | None]:
    return lambda record: float(record["best"][field] / record["best"]["seconds"])


def _median_p99(record: Record) -> float | None:
    if not record["kept_up"]:
        return None
    figures = sorted(run["delivery_ns"]["p99"] for run in record["rounds"])
    return float(figures[len(figures) // 2])


def _storm_p99(record: Record) -> float | None:
    return float(record["storm"]["complete_ns"]["p99"])


def _cpu_of_a_delivery(record: Record) -> float | None:
    """In microseconds, the median: CPU time varies less than the rate."""
    figures = sorted(run["server_cpu_s"] / run["deliveries"] * 1e6 for run in record["rounds"])
    return float(figures[len(figures) // 2])


def _fanout(recipients: int, in_flight: int) -> Measure:
    title = f"fan-out to {recipients:,} admins, {in_flight} in flight, deliveries/s"
    return Measure(title, "fanout", _of_fanout(recipients, in_flight), _per_s("deliveries"), count)


def _of_fanout(recipients: int, in_flight: int) -> dict[str, int]:
    return {"recipients": recipients, "in_flight": in_flight, "payload_bytes": 64}


def _relay(title: str, *, ack: bool) -> Measure:
    return Measure(title, "relay", {"in_flight": 100, "ack": ack}, _per_s("completed"), count)


def _ms(nanoseconds: float) -> str:
    return milliseconds(round(nanoseconds))


MEASURES: Final[Sequence[Measure]] = (
    _fanout(2, 1),
    _fanout(5, 1),
    _fanout(TEAM, 1),
    Measure(
        f"fan-out to {TEAM} admins, 1 in flight, CPU of a delivery",
        "fanout",
        _of_fanout(TEAM, 1),
        _cpu_of_a_delivery,
        lambda value: f"{value:.1f} us",
    ),
    _fanout(20, 1),
    _fanout(100, 1),
    _fanout(ADMINS, 1),
    _fanout(ADMINS, 8),
    _fanout(ADMINS, 32),
    Measure("p99 at 100 messages/s to 1,000 admins", "rate", {"rate": 100, "recipients": ADMINS}, _median_p99, _ms),
    _relay("one user to one admin, 100 in flight, messages/s", ack=False),
    _relay("the same, acknowledged (chatd, node-sqlite: when it is on disk)", ack=True),
    Measure(
        "memory of an authenticated idle connection, of 10,000",
        "connections",
        {},
        lambda record: float(record["per_connection_bytes"]),
        lambda value: f"{value / 1024:.1f} KiB",
    ),
    Measure(
        "CPU to accept, verify and join one connection",
        "connections",
        {},
        lambda record: float(min(record["connect_cpu_s"])),
        lambda value: f"{value * 1e6:.0f} us",
    ),
    Measure("p99 of a stream while 10,000 come at once", "connections", {}, _storm_p99, _ms),
    Measure(
        "resident memory at start",
        "connections",
        {},
        lambda record: float(record["start_bytes"]),
        lambda value: f"{value / 1024 / 1024:.1f} MiB",
    ),
)


def write(folder: Path) -> None:
    """Write `summary.md` and `summary.svg`, if `folder` has the results of all benchmarks that they need."""
    if not all((folder / f"{name}.jsonl").exists() for name in NEEDED):
        return
    results = {name: _read(folder / f"{name}.jsonl") for name in NEEDED}
    text = markdown(results)
    (folder / "summary.md").write_text(text)
    (folder / "summary.svg").write_text(_chart(results))
    print("\n" + text, flush=True)


def markdown(results: Mapping[str, Sequence[Record]]) -> str:
    about = results["fanout"][0]
    facts, versions = about["machine"], about["versions"]
    servers = [name for name in COLUMNS if name in versions]
    pairs = [(one, other) for one, other in COMPARED if one in servers and other in servers]
    lines = [
        f"| measure | {' | '.join([*servers, *(f'{one} : {other}' for one, other in pairs)])} |",
        f"|---|{'---:|' * (len(servers) + len(pairs))}",
    ]
    for measure in MEASURES:
        values = {name: _value(measure, results[measure.benchmark], name) for name in servers}
        cells = [_cell(measure, results[measure.benchmark], name, value) for name, value in values.items()]
        ratios = [_ratio(values[one], values[other]) for one, other in pairs]
        lines.append(f"| {measure.title} | {' | '.join(cells + ratios)} |")
    names = "; ".join(f"`{name}`: {PEERS[name].title} ({versions[name]})" for name in servers)
    machine = f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}"
    lines += ["", f"Measured on {facts['date'][:10]} at commit {facts['commit']} ({machine}). {names}.", ""]
    return "\n".join(lines)


def _cell(measure: Measure, records: Iterable[Record], server: str, value: float | None) -> str:
    """A server without a value does not keep up at a fixed rate, and is not measured elsewhere."""
    if value is not None:
        return measure.shown(value)
    takes_part = measure.benchmark == "rate" and any(record.get("server") == server for record in records)
    return BEHIND if takes_part else NOT_MEASURED


def _read(path: Path) -> list[Record]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def _value(measure: Measure, records: Iterable[Record], server: str) -> float | None:
    for record in records:
        if record.get("server") == server and measure.case.items() <= record["case"].items():
            return measure.value(record)
    return None


def _ratio(ours: float | None, theirs: float | None) -> str:
    return NOT_MEASURED if ours is None or theirs is None else f"{ours / theirs:.2f}"


def _chart(results: Mapping[str, Sequence[Record]]) -> str:
    measures = [_fanout(ADMINS, in_flight) for in_flight in (1, 8, 32)]
    rows = {name: [_value(measure, results[measure.benchmark], name) for measure in measures] for name in COLUMNS}
    facts = results["fanout"][0]["machine"]
    return svg.Bars(
        title=f"One message to {ADMINS:,} admins: deliveries per second",
        subtitle=f"64-byte messages, one core for the server; {facts['date'][:10]}, commit {facts['commit']}",
        series=[
            svg.Series(PEERS[name].title, [value or 0.0 for value in values], colour(name))
            for name, values in rows.items()
            if any(values)
        ],
        groups=[f"{number} in flight" for number in (1, 8, 32)],
        unit="deliveries/s",
    ).render()
