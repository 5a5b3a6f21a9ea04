"""Open loop: messages to 1,000 admins at fixed rates. The figure is the latency of a delivery, p50 to the maximum.

Message k is due at start + k / rate and its latency counts from then, whether it was sent or not: a stall of the server
delays every due message (no coordinated omission). The delay of the generator itself is printed as `lag`.
A server that leaves a message undelivered for two seconds does not keep up: it gets no figure and no higher rate.
The round with the median p99 is shown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from bench import svg
from bench.load import Run, Workload
from bench.options import Options
from bench.peers import PEERS
from bench.report import Report, colour, milliseconds
from bench.rig import BYSTANDER_COUNT, People, Rig, admin_name, rig, say, user_name

RECIPIENTS: Final = 1_000
RATES: Final = (10, 50, 100, 200, 500, 1_000)
SECONDS: Final = 0.8
BEHIND: Final = "behind"

Figures = dict[int, dict[str, Run | None]]


class Stands:
    """The servers that keep up, each with the handle that ends it."""

    def __init__(self, names: Sequence[str], people: People, recipients: int) -> None:
        self._open: dict[str, tuple[Rig, contextlib.ExitStack]] = {}
        try:
            for name in names:
                stack = contextlib.ExitStack()
                self._open[name] = (stack.enter_context(rig(PEERS[name], people)), stack)
            for stand, _ in self._open.values():
                stand.join(recipients)
                warm = Workload(para=admin_name(0), de=user_name(0), in_flight=1, seconds=1.0)
                stand.run(warm)
        except BaseException:
            self.close()
            raise

    def rigs(self) -> list[Rig]:
        return [stand for stand, _ in self._open.values()]

    def drop(self, name: str) -> None:
        """End a server that does not keep up: its remaining deliveries would disturb the others."""
        self._open.pop(name)[1].close()

    def close(self) -> None:
        for name in list(self._open):
            self.drop(name)


def run(options: Options) -> None:
    report = Report("rate", options.servers(), options.folder)
    recipients = options.recipients[0] if options.recipients else RECIPIENTS
    figures: Figures = {}
    stands = Stands(report.servers, People(recipients, 1 + BYSTANDER_COUNT), recipients)
    with contextlib.closing(stands):
        for rate in options.rates or RATES:
            say(f"rate {rate}/s to {recipients}")
            figures[rate] = _one_rate(stands, rate, recipients, options, report)
    _tables(report, figures, recipients)
    _chart(report, figures, recipients)
    report.write()


def _one_rate(stands: Stands, rate: int, recipients: int, options: Options, report: Report) -> dict[str, Run | None]:
    work = Workload(para=admin_name(0), de=user_name(0), rate=rate, seconds=options.seconds or SECONDS)
    rounds: dict[str, list[Run]] = {}
    for _ in range(options.rounds):
        for stand in stands.rigs():
            result = stand.run(work)
            rounds.setdefault(stand.name, []).append(result)
            if not result.kept_up:
                stands.drop(stand.name)
    shown: dict[str, Run | None] = dict.fromkeys(report.servers)
    for name, runs in rounds.items():
        case = {"rate": rate, "recipients": recipients, "payload_bytes": work.payload_bytes}
        kept_up = all(result.kept_up for result in runs)
        shown[name] = _median(runs) if kept_up else None
        report.add(name, case, {"kept_up": kept_up, "rounds": [asdict(result) for result in runs]})
    return shown


def _median(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=lambda run: run.delivery_ns.p99)[len(runs) // 2]


def _tables(report: Report, figures: Mapping[int, Mapping[str, Run | None]], recipients: int) -> None:
    head = ["messages/s", *report.servers]
    for title, quantile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("worst", "max")):
        rows = [
            [f"{rate}", *(_cell(runs[name], "delivery_ns", quantile) for name in report.servers)]
            for rate, runs in figures.items()
        ]
        report.table(f"rate: latency of a delivery to {recipients} admins, {title}", head, rows)
    rows = [
        [f"{rate}", *(_cell(runs[name], "lag_ns", "p99") for name in report.servers)] for rate, runs in figures.items()
    ]
    report.table("rate: how late the generator was itself, p99 (part of the above)", head, rows)
    rows = [[f"{rate}", *(_cpu(runs[name]) for name in report.servers)] for rate, runs in figures.items()]
    report.table("rate: server CPU, us per delivery", head, rows)


def _cell(run: Run | None, histogram: str, quantile: str) -> str:
    return milliseconds(getattr(getattr(run, histogram), quantile)) if run else BEHIND


def _cpu(run: Run | None) -> str:
    return f"{run.server_us_per_delivery:.2f}" if run else BEHIND


def _chart(report: Report, figures: Mapping[int, Mapping[str, Run | None]], recipients: int) -> None:
    lines = {
        name: [(float(rate), result.delivery_ns.p99 / 1e6) for rate, runs in figures.items() if (result := runs[name])]
        for name in report.servers
    }
    chart = svg.Lines(
        title=f"Latency at a fixed rate to {recipients:,} admins",
        subtitle="p99 of a delivery from the moment its message was due; a line ends where the server falls behind",
        series=[svg.Line(PEERS[name].title, line, colour(name)) for name, line in lines.items()],
        x_unit="messages per second",
        y_unit="milliseconds",
    )
    report.chart("rate", chart.render())
