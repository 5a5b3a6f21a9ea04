"""The verdicts of jitter runs as tables, JSON lines and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from bench import svg
from bench.report import Report
from bench.tally import Return, Verdict, quantiles

SHOWN: Final = ("p50", "p99")


def figures(verdict: Verdict) -> dict[str, Any]:
    counts = verdict.deliveries
    return {
        "messages": verdict.messages,
        "deliveries": asdict(counts) | {"lost": counts.lost, "percent": counts.percent},
        "returned": latencies(verdict.returned),
        "killed": latencies(verdict.killed),
        "down_ms": verdict.down_ms,
    }


def latencies(returned: list[Return]) -> dict[str, Any]:
    return {
        "count": len(returned),
        "recovered": sum(one.recovered for one in returned),
        "complete": sum(one.caught_up_ms is not None for one in returned),
        "from_cut_ms": quantiles(one.from_cut_ms for one in returned),
        "connect_ms": quantiles(one.connect_ms for one in returned),
        "caught_up_ms": quantiles(one.caught_up_ms for one in returned if one.caught_up_ms is not None),
    }


def _percent(share: float) -> str:
    """Never rounded up: 100 % means all."""
    return f"{int(share * 1000) / 1000:.3f} %" if share < 100 else "100 %"


def tables(report: Report, verdicts: Mapping[str, Verdict]) -> None:
    head = ["server", "messages", "deliveries due", "delivered", "lost", "doubled", "out of order", "damaged"]
    rows = []
    for name, verdict in verdicts.items():
        all_of = verdict.deliveries
        figures = [verdict.messages, all_of.due, all_of.lost, all_of.doubled, all_of.late, all_of.damaged]
        cells = [f"{figure:,}" for figure in figures]
        rows.append([name, *cells[:2], _percent(all_of.percent), *cells[2:]])
    report.table("jitter: what arrived", head, rows)
    normal = {name: verdict.returned for name, verdict in verdicts.items()}
    _returns(report, "jitter: clients that were cut off", normal)
    killed = {name: verdict.killed for name, verdict in verdicts.items() if verdict.killed}
    if killed:
        _returns(report, "jitter: all clients, after the server was killed", killed)
        down = [[name, _ms(verdict.down_ms)] for name, verdict in verdicts.items() if verdict.killed]
        report.table("jitter: how long the killed server was down", ["server", "down"], down)


def _returns(report: Report, title: str, by_name: Mapping[str, list[Return]]) -> None:
    spans = {"connect_ms": "connect", "caught_up_ms": "caught up", "from_cut_ms": "cut to connect"}
    figures_of = {name: latencies(returned) for name, returned in by_name.items()}
    head = ["server", "returns", "recovered", "nothing missing"]
    head += [f"{words} {quantile}" for words in spans.values() for quantile in SHOWN]
    rows = []
    for name, figures in figures_of.items():
        shares = [_percent(100 * figures[key] / max(1, figures["count"])) for key in ("recovered", "complete")]
        spent = [_ms(figures[key].get(quantile)) for key in spans for quantile in SHOWN]
        rows.append([name, f"{figures['count']:,}", *shares, *spent])
    report.table(f"{title}; `connect` and `caught up` count from reaching the server", head, rows)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def charts(report: Report, verdicts: Mapping[str, Verdict], words: str) -> None:
    """`jitter.svg` if a message was lost or duplicated, `jitter-latency.svg` if every server's clients were cut off."""
    all_of = [verdict.deliveries for verdict in verdicts.values()]
    lost = svg.Series("never arrived", [100 - one.percent for one in all_of], 0)
    doubled = svg.Series("came twice", [100 * one.doubled / one.due for one in all_of], 2)
    groups = list(verdicts)
    if any([*lost.values, *doubled.values]):
        title = "Jitter: messages of 100 that were lost or doubled"
        chart = svg.Bars(title=title, subtitle=words, groups=groups, series=[lost, doubled], unit="%")
        report.chart("jitter", chart.render())
    back = [quantiles(one.connect_ms for one in verdict.returned) for verdict in verdicts.values()]
    if all(back):
        series = [svg.Series(key, [one[key] for one in back], i) for i, key in enumerate(("p50", "p90", "p99"))]
        title = "Jitter: from reaching the server until `connect`"
        chart = svg.Bars(title=title, subtitle=words, groups=groups, series=series, unit="milliseconds")
        report.chart("jitter-latency", chart.render())
