"""Fan-out: one user sends messages to all admins. The figure is deliveries a second.

Closed loop: a message is complete when every admin has it, and `in flight` of them are outstanding. With one in
flight nothing can be batched: the figure is the cost of a single message. With more, a server may combine into one
send() all packets that one turn of its event loop has for a socket; such servers are faster than the C baseline.

The addressee is one of the admins, so a server that does not send to the union of both rooms fails at once.
The cost per delivery is CPU of the server process (user + system) from the kernel's process clock: it is reliable on a
noisy machine, where throughput is not. The best of the rounds is shown: noise only ever adds time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench import svg
from bench.load import Run, Workload
from bench.options import Options
from bench.peers import PEERS, USUAL
from bench.report import Report, colour, count, size
from bench.rig import BYSTANDER_COUNT, People, Rig, admin_name, interleaved, rigs, say, user_name

RECIPIENTS: Final = (2, 5, 10, 20, 100, 1_000, 10_000)
A_TEAM: Final = (2, 5, 20)  # beside 10: the admins of a small desk, where most messages are single
IN_FLIGHT: Final = (1, 8, 32)
PAYLOADS: Final = (64, 1024, 16 * 1024)
SECONDS: Final = 0.25
WARM_S: Final = 0.05

SERVERS: Final = (*USUAL, "batch", "node-sqlite")
ALONE_WITH: Final = {"node-sqlite": 10}  # servers that are measured with this number of recipients only

FIGURES: Final[Mapping[str, Callable[[Run], str]]] = {
    "deliveries/s (best round)": lambda run: count(run.deliveries_per_s),
    "server CPU, us per delivery": lambda run: f"{run.server_us_per_delivery:.2f}",
    "load generator CPU, us per delivery": lambda run: f"{run.load_us_per_delivery:.2f}",
    "share of the time that the load generator's core was busy": lambda run: f"{run.load_cpu_s / run.seconds:.0%}",
    "deliveries per recv() of the load generator": lambda run: f"{run.deliveries / run.reads:.2f}",
}


@dataclass(frozen=True, slots=True)
class Case:
    recipients: int
    in_flight: int
    payload_bytes: int

    def workload(self, seconds: float, warm_s: float) -> Workload:
        return Workload(
            para=admin_name(0),
            de=user_name(0),
            in_flight=self.in_flight,
            payload_bytes=self.payload_bytes,
            seconds=seconds,
            warm_s=warm_s,
        )


def cases(*, full: bool) -> list[Case]:
    """All cases, or the most informative ones."""
    every = [Case(r, f, b) for r in RECIPIENTS for f in IN_FLIGHT for b in PAYLOADS]
    return every if full else [case for case in every if _tells_most(case)]


def _tells_most(case: Case) -> bool:
    """64 B always, but for a team only one in flight, and no 32 at 10,000; large messages at 1,000."""
    if case.payload_bytes != 64:
        return (case.recipients, case.in_flight) == (1_000, 8)
    if case.recipients in A_TEAM:
        return case.in_flight == 1
    return (case.recipients, case.in_flight) != (10_000, 32)


def run(options: Options) -> None:
    report = Report("fanout", options.servers(SERVERS), options.folder)
    chosen = [case for case in cases(full=options.full) if case.recipients in (options.recipients or RECIPIENTS)]
    chosen = [case for case in chosen if case.in_flight in (options.in_flight or IN_FLIGHT)]
    chosen = [case for case in chosen if case.payload_bytes in (options.payload_bytes or PAYLOADS)]
    people = People(admins=max(case.recipients for case in chosen), users=1 + BYSTANDER_COUNT)
    best: dict[Case, dict[str, Run]] = {}
    with rigs([PEERS[name] for name in report.servers], people) as stands:
        for recipients in sorted({case.recipients for case in chosen}):
            of_this_size = [case for case in chosen if case.recipients == recipients]
            taking_part = [rig for rig in stands if ALONE_WITH.get(rig.name, recipients) == recipients]
            best |= _one_size(taking_part, of_this_size, options, report)
    _tables(report, best, report.servers)
    _chart(report, best, report.servers)
    report.write()


def _one_size(
    stands: Sequence[Rig], cases: Sequence[Case], options: Options, report: Report
) -> dict[Case, dict[str, Run]]:
    """The cases with one number of recipients, so that all clients connect once."""
    best: dict[Case, dict[str, Run]] = {}
    seconds = options.seconds or SECONDS
    for rig in stands:
        rig.part()
        rig.join(cases[0].recipients)
        rig.run(Case(cases[0].recipients, 1, 64).workload(seconds=2 * seconds, warm_s=0))
    for case in cases:
        say(f"fanout {case}")
        workload = case.workload(seconds, WARM_S)
        results = interleaved(stands, options.rounds, workload, slow_s=2 * seconds)
        best[case] = {name: max(runs, key=lambda run: run.deliveries_per_s) for name, runs in results.items()}
        for name, runs in results.items():
            report.add(name, asdict(case), {"best": asdict(best[case][name]), "rounds": [asdict(run) for run in runs]})
    return best


def _tables(report: Report, best: Mapping[Case, Mapping[str, Run]], servers: Sequence[str]) -> None:
    head = ["recipients, in flight, payload", *servers]
    label = {case: f"{case.recipients}, {case.in_flight}, {size(case.payload_bytes)}" for case in best}
    for title, figure in FIGURES.items():
        rows = [
            [label[case], *(figure(runs[name]) if name in runs else "-" for name in servers)]
            for case, runs in best.items()
        ]
        report.table(f"fan-out: {title}", head, rows)


def _chart(report: Report, best: Mapping[Case, Mapping[str, Run]], servers: Sequence[str]) -> None:
    groups = [case for case in best if case.payload_bytes == 64]
    chart = svg.Bars(
        title="Fan-out: deliveries per second",
        subtitle="64-byte messages, the server on one core, the load on another",
        series=[
            svg.Series(PEERS[name].title, [_per_s(best[case].get(name)) for case in groups], colour(name))
            for name in servers
        ],
        groups=[f"{case.recipients:,} admins, {case.in_flight} in flight" for case in groups],
        unit="deliveries/s",
    )
    report.chart("fanout", chart.render())


def _per_s(run: Run | None) -> float:
    return run.deliveries_per_s if run else 0.0
