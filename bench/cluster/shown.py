"""The results of a run with faults: a chart of latencies, one of losses, and a table for the README."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from bench import svg
from bench.cluster.faults import FAULTS
from bench.cluster.verdict import Verdict
from bench.peers import PEERS

Verdicts = Mapping[str, Mapping[str, Verdict]]
"""By fault, and by server. A fault of PostgreSQL has only chatd."""

NONE: Final = "-"


def charts(verdicts: Verdicts, servers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and SVG of the charts, for faults that were played on all servers. A chart of zeros is left out."""
    faults = [fault for fault, row in verdicts.items() if all(server in row for server in servers)]

    def chart(title: str, unit: str, value: Callable[[Verdict], float]) -> str:
        return svg.Bars(
            title=title,
            subtitle="two nodes behind HAProxy, ten admins and four users who write every 50 ms",
            groups=[FAULTS[fault].words for fault in faults],
            series=[
                svg.Series(PEERS[server].title, [value(verdicts[fault][server]) for fault in faults], colour)
                for colour, server in enumerate(servers)
            ],
            unit=unit,
        ).render()

    if faults:
        title = "Several nodes: longest wait of a recipient on the sender's node"
        yield "cluster-wait", chart(title, "milliseconds", lambda verdict: verdict.local_ms)
    if any(verdicts[fault][server].lost for fault in faults for server in servers):
        yield (
            "cluster-lost",
            chart("Several nodes: deliveries that were lost", "deliveries", lambda verdict: verdict.lost),
        )


def markdown(verdicts: Verdicts, servers: Sequence[str]) -> str:
    """For each server: lost, duplicated, longest latency on the sender's node and on another."""
    head = [
        "what happens",
        *(f"{PEERS[server].title}: lost, doubled, longest wait local / remote" for server in servers),
    ]
    rows = [[FAULTS[fault].words, *(_cell(row.get(server)) for server in servers)] for fault, row in verdicts.items()]
    lines = [head, ["---", *("---:" for _ in servers)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return NONE
    counts = f"{verdict.lost:,}, {verdict.doubled + verdict.anew:,}"
    return f"{counts}, {verdict.local_ms:,.0f} / {verdict.remote_ms:,.0f} ms"
