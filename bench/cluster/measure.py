"""Cluster: two nodes of chatd, and two of Node.js with each adapter for Redis. The figures are lost and duplicated
messages during faults, the longest latencies, and the CPU of each node without faults.

Not part of `all`, for lack of time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

import pytest

from bench import build
from bench.cluster import cost, shown
from bench.cluster.cost import Case, Cost
from bench.cluster.faults import FAULTS
from bench.cluster.outages import Client, play
from bench.cluster.sites import ALONE, SERVERS
from bench.cluster.verdict import Verdict
from bench.load import LoadError
from bench.options import Options
from bench.report import Report
from bench.rig import say

RECIPIENTS: Final = 1_000
SECONDS: Final = 2.0
IN_FLIGHT: Final = (1, 8)  # of the fan-out: single messages, and several in one send()
FEW: Final = 2
COLUMNS: Final[Mapping[str, Callable[[Verdict], str]]] = {
    "deliveries due": lambda verdict: f"{verdict.due:,}",
    "lost": lambda verdict: f"{verdict.lost:,}",
    "doubled": lambda verdict: f"{verdict.doubled + verdict.anew:,}",
    "longest wait, local": lambda verdict: f"{verdict.local_ms:,.0f} ms",
    "longest wait, remote": lambda verdict: f"{verdict.remote_ms:,.0f} ms",
}


def run(options: Options) -> None:
    """Redis, PostgreSQL and HAProxy are found as in the tests, which may fail."""
    servers = options.servers(SERVERS)
    build.node_modules()
    report = Report("cluster", (*servers, *([ALONE] if set(servers) - {"chatd"} else [])), options.folder)
    [recipients] = options.recipients or (RECIPIENTS,)
    try:
        measure_outages(report, servers, options.outages or tuple(FAULTS), Client(build.node_program(), build.PEERS))
        measure_cost(report, servers, recipients, options.rounds, options.seconds or SECONDS)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise build.SetupError(str(missing)) from missing
    report.write()


# ---- faults ----


def measure_outages(report: Report, servers: Sequence[str], names: Sequence[str], client: Client) -> None:
    """Raises LoadError at the end if chatd lost or duplicated a message: that is a failure, not a figure."""
    verdicts: dict[str, dict[str, Verdict]] = {}
    for name in names:
        fault = FAULTS[name]
        for server in servers:
            if fault.of_database and server != "chatd":
                continue
            say(f"cluster {server}: {fault.words}")
            verdict = asyncio.run(play(server, fault, client))
            verdicts.setdefault(name, {})[server] = verdict
            report.add(server, {"fault": name, "words": fault.words}, asdict(verdict))
    _outage_tables(report, servers, verdicts)
    report.page(report.name, shown.markdown(verdicts, servers))
    for name, picture in shown.charts(verdicts, servers):
        report.chart(name, picture)
    bad = [
        f"{name}: {row['chatd']}" for name, row in verdicts.items() if "chatd" in row and not _is_whole(row["chatd"])
    ]
    if bad:
        raise LoadError("chatd lost or doubled messages: " + "; ".join(bad))


def _is_whole(verdict: Verdict) -> bool:
    return verdict.perfect and verdict.anew == 0


def _outage_tables(report: Report, servers: Sequence[str], verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    for server in servers:
        rows = [
            [FAULTS[name].words, *(show(row[server]) for show in COLUMNS.values())]
            for name, row in verdicts.items()
            if server in row
        ]
        report.table(f"cluster: two nodes of {server}", ["what happens", *COLUMNS], rows)


# ---- CPU ----


def measure_cost(report: Report, servers: Sequence[str], recipients: int, rounds: int, seconds: float) -> None:
    fanouts, relay = [Case("fanout", recipients, in_flight) for in_flight in IN_FLIGHT], Case("relay", FEW, 100)
    say("cluster: CPU without faults")
    results = cost.measure(servers, (*fanouts, relay), rounds, seconds)
    for case, by_name in results.items():
        for name, costs in by_name.items():
            best = cost.best({name: costs})[name]
            figures = {"best": asdict(best), "rounds": [asdict(each) for each in costs]}
            report.add(name, {"case": case.name, "recipients": case.recipients, "in_flight": case.in_flight}, figures)
    for fanout in fanouts:
        _fanout_table(report, fanout, cost.best(results[fanout]))
    _relay_table(report, relay, cost.best(results[relay]))


def _fanout_table(report: Report, case: Case, costs: Mapping[str, Cost]) -> None:
    rows = []
    for name, spent in costs.items():
        alone = costs["chatd, alone" if name.startswith("chatd") else f"{ALONE}, alone"]
        ratio = f"{spent.us_per_delivery / alone.us_per_delivery:.2f}"
        rows.append([name, f"{spent.us_per_delivery:.2f} us", ratio, *_by_node(spent)])
    title = f"cluster: one message to {case.recipients:,} admins, {case.in_flight} in flight"
    report.table(title, ["nodes", "CPU per delivery", "to one alone", "per message, node 1", "node 2"], rows)


def _relay_table(report: Report, case: Case, costs: Mapping[str, Cost]) -> None:
    rows = [[name, *_by_node(spent)] for name, spent in costs.items()]
    title = f"cluster: one message to an admin on each node, {case.in_flight} in flight; the sender is on node 1"
    report.table(title, ["nodes", "CPU per message, node 1", "node 2"], rows)


def _by_node(spent: Cost) -> list[str]:
    each = [f"{figure:.1f} us" for figure in spent.us_per_message]
    return each + ["-"] * (len(cost.NODES) - len(each))
