"""The main table: one line for each promise, one column for each server, from the results that lie in a folder.

It is what the README shows, with the date, the commit and the machine of the run. The last columns are what counts:
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
COLUMNS: Final = ("chatd", "node", "bun", "python", "floor")
ADMINS: Final = 1_000
NOT_MEASURED: Final = "-"


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the table. `value` is None where a server does not keep up."""

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


def _fanout(in_flight: int) -> Measure:
    title = f"fan-out to {ADMINS:,} admins, {in_flight} in flight, deliveries/s"
    case = {"recipients": ADMINS, "in_flight": in_flight, "payload_bytes": 64}
    return Measure(title, "fanout", case, _per_s("deliveries"), count)


def _relay(title: str, *, ack: bool) -> Measure:
    return Measure(title, "relay", {"in_flight": 100, "ack": ack}, _per_s("completed"), count)


def _ms(nanoseconds: float) -> str:
    return milliseconds(round(nanoseconds))


MEASURES: Final[Sequence[Measure]] = (
    _fanout(1),
    _fanout(8),
    _fanout(32),
    Measure("p99 at 100 messages/s to 1,000 admins", "rate", {"rate": 100, "recipients": ADMINS}, _median_p99, _ms),
    _relay("one user to one admin, 100 in flight, messages/s", ack=False),
    _relay("the same, acknowledged (chatd: when it is on disk)", ack=True),
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
    """`summary.md` and `summary.svg`, if every benchmark that they need has left its results in `folder`."""
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
    lines = [
        f"| measure | {' | '.join(COLUMNS)} | chatd : node | chatd : floor |",
        f"|---|{'---:|' * (len(COLUMNS) + 2)}",
    ]
    for measure in MEASURES:
        values = {name: _value(measure, results[measure.benchmark], name) for name in COLUMNS}
        cells = [measure.shown(value) if value is not None else "behind" for value in values.values()]
        ratios = [_ratio(values["chatd"], values[other]) for other in ("node", "floor")]
        lines.append(f"| {measure.title} | {' | '.join(cells + ratios)} |")
    names = "; ".join(f"`{name}`: {PEERS[name].title} ({versions[name]})" for name in COLUMNS)
    machine = f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}"
    lines += ["", f"Measured on {facts['date'][:10]} at commit {facts['commit']} ({machine}). {names}.", ""]
    return "\n".join(lines)


def _read(path: Path) -> list[Record]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def _value(measure: Measure, records: Iterable[Record], server: str) -> float | None:
    for record in records:
        if record.get("server") == server and measure.case.items() <= record["case"].items():
            return measure.value(record)
    return None  # it was behind at a lower rate already


def _ratio(ours: float | None, theirs: float | None) -> str:
    return NOT_MEASURED if ours is None or theirs is None else f"{ours / theirs:.2f}"


def _chart(results: Mapping[str, Sequence[Record]]) -> str:
    measures = [_fanout(1), _fanout(8), _fanout(32)]
    rows = {
        name: [_value(measure, results[measure.benchmark], name) or 0.0 for measure in measures] for name in COLUMNS
    }
    facts = results["fanout"][0]["machine"]
    return svg.Bars(
        title=f"One message to {ADMINS:,} admins: deliveries per second",
        subtitle=f"64-byte messages, one core for the server; {facts['date'][:10]}, commit {facts['commit']}",
        series=[svg.Series(PEERS[name].title, values, colour(name)) for name, values in rows.items()],
        groups=[f"{number} in flight" for number in (1, 8, 32)],
        unit="deliveries/s",
    ).render()
