"""The rows of a fairness run as a table, JSON lines and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from bench import svg
from bench.fairness.flooder import Done
from bench.fairness.floods import Flood
from bench.fairness.verdict import GOAL, Phase
from bench.report import Report

HEAD: Final = (
    *("flood", "server", "sent", "ended"),
    *("delivery alone p99", "p50", "p99", "ack alone p99", "p50", "p99"),
    *("/healthz worst", "join p50", "worst", "joined", "goal"),
)
GREY: Final = 5
SHOWN_FAULTS: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One flood on one server, in round `number`."""

    flood: Flood
    server: str
    alone: Phase
    beside: Phase
    done: Done
    missed: list[str]
    round: int

    def case(self) -> dict[str, Any]:
        return {"flood": self.flood.name, "sockets": self.flood.sockets}

    def figures(self) -> dict[str, Any]:
        return {
            "alone": asdict(self.alone),
            "beside": asdict(self.beside),
            "done": msgspec.structs.asdict(self.done),
            "missed": self.missed,
            "round": self.round,
        }


def lost_by(server: str, rows: Sequence[Row]) -> list[str]:
    """The messages that this server lost, without or during a flood; the first few of each flood."""
    mine = [row for row in rows if row.server == server]
    return [
        f"{row.flood.name}: {fault}" for row in mine for fault in [*row.alone.lost, *row.beside.lost][:SHOWN_FAULTS]
    ]


def table(report: Report, rows: Sequence[Row]) -> None:
    title = f"fairness: what honest people notice of one attacker; goal: {GOAL}"
    report.table(title, HEAD, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    alone, beside = row.alone, row.beside
    return [
        row.flood.name,
        row.server,
        f"{row.done.megabytes_per_s:.2f} MB/s",
        str(row.done.ended),
        _shown(alone.delivery, "p99"),
        _shown(beside.delivery, "p50"),
        _shown(beside.delivery, "p99"),
        _shown(alone.ack, "p99"),
        _shown(beside.ack, "p50"),
        _shown(beside.ack, "p99"),
        _shown(beside.health, "max"),
        _shown(beside.join, "p50"),
        _shown(beside.join, "max"),
        f"{beside.joined}/{beside.newcomers}",
        _verdict(row),
    ]


def _verdict(row: Row) -> str:
    said = f"MISSED: {', '.join(row.missed)}" if row.missed else "ok"
    return said if row.round == 1 else f"{said} (round {row.round})"


def _shown(figures: Mapping[str, float], quantile: str) -> str:
    value = figures.get(quantile)
    return "-" if value is None else f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def chart(report: Report, rows: Sequence[Row]) -> None:
    """p99 of a delivery: a bar for each server, and for the first one also without the flood."""
    floods = list(dict.fromkeys(row.flood.name for row in rows))
    found = {(row.flood.name, row.server): row for row in rows}
    first = report.servers[0]
    series = [
        svg.Series(server, [_p99(found.get((flood, server))) for flood in floods], i)
        for i, server in enumerate(report.servers)
    ]
    alone = [found[flood, first].alone.delivery.get("p99", 0.0) for flood in floods]
    picture = svg.Bars(
        title="Fairness: p99 of a delivery between honest people beside one attacker",
        subtitle="each flood on a fresh server, all limits of chatd at their defaults; no bar: Node does not know it",
        groups=floods,
        series=[*series, svg.Series(f"{first} without the flood", alone, GREY)],
        unit="milliseconds",
    )
    report.chart(report.name, picture.render())


def _p99(row: Row | None) -> float:
    return row.beside.delivery.get("p99", 0.0) if row else 0.0
