"""Relay: one user sends to one admin, 100 messages in flight. The figure is messages a second.

This is the inbound path: parse, route, one delivery. With `ack` each message asks for an acknowledgement, which
chatd and node-sqlite send when the message is on disk (synchronous=FULL) and the other peers as soon as they have
emitted it; a message is complete when both the delivery and the acknowledgement have arrived.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from bench import svg
from bench.load import Run, Workload
from bench.options import Options
from bench.peers import PEERS, USUAL
from bench.report import Report, colour, count, milliseconds
from bench.rig import BYSTANDER_COUNT, People, admin_name, interleaved, rigs, say, user_name

SERVERS: Final = (*USUAL, "node-sqlite")
IN_FLIGHT: Final = 100
SECONDS: Final = 1.0
WARM_S: Final = 0.3


def workload(*, ack: bool, seconds: float, in_flight: int) -> Workload:
    return Workload(para=admin_name(0), de=user_name(0), in_flight=in_flight, seconds=seconds, warm_s=WARM_S, ack=ack)


def run(options: Options) -> None:
    report = Report("relay", options.servers(SERVERS), options.folder)
    best: dict[tuple[int, bool], dict[str, Run]] = {}
    with rigs([PEERS[name] for name in report.servers], People(1, 1 + BYSTANDER_COUNT)) as stands:
        for rig in stands:
            rig.join(1)
        for in_flight in options.in_flight or (IN_FLIGHT,):
            for ack in (False, True):
                say(f"relay in_flight={in_flight} ack={ack}")
                work = workload(ack=ack, seconds=options.seconds or SECONDS, in_flight=in_flight)
                results = interleaved(stands, options.rounds, work, slow_s=10)
                best[in_flight, ack] = {n: max(runs, key=lambda run: run.messages_per_s) for n, runs in results.items()}
                for name, runs in results.items():
                    case = {"in_flight": in_flight, "ack": ack, "payload_bytes": 64}
                    figures = {"best": asdict(best[in_flight, ack][name]), "rounds": [asdict(run) for run in runs]}
                    report.add(name, case, figures)
    _tables(report, best)
    _chart(report, best)
    report.write()


def _tables(report: Report, best: dict[tuple[int, bool], dict[str, Run]]) -> None:
    head = ["server", "messages/s", "CPU us/message", "p50", "p99", "load CPU us/message"]
    for (in_flight, ack), runs in best.items():
        rows = [
            [
                name,
                count(run.messages_per_s),
                f"{run.server_cpu_s / run.completed * 1e6:.2f}",
                milliseconds(run.complete_ns.p50),
                milliseconds(run.complete_ns.p99),
                f"{run.load_cpu_s / run.completed * 1e6:.2f}",
            ]
            for name, run in runs.items()
        ]
        kind = "with acknowledgement (chatd, node-sqlite: on disk)" if ack else "without acknowledgement"
        report.table(f"relay: one user to one admin, {in_flight} in flight, {kind}", head, rows)


def _chart(report: Report, best: dict[tuple[int, bool], dict[str, Run]]) -> None:
    chart = svg.Bars(
        title="Relay: messages per second, one user to one admin",
        subtitle="64-byte messages; acknowledged when on disk by chatd and better-sqlite3, the others store none",
        series=[
            svg.Series(PEERS[name].title, [runs[name].messages_per_s for runs in best.values()], colour(name))
            for name in report.servers
        ],
        groups=[f"{n} in flight, {'acknowledged' if ack else 'no acknowledgement'}" for n, ack in best],
        unit="messages/s",
    )
    report.chart("relay", chart.render())
