"""The metrics are the same in the table, in a scrape, in README and in the dashboard."""

from __future__ import annotations

import json
import math
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from chatd.base.metric import Kind
from chatd.cli import main
from chatd.daemon.metrics import GROUPS, METRICS, table
from chatd.engineio.reasons import CloseReason
from tests.ops.operator import operated

ROOT = Path(__file__).parents[2]

# Metrics of the process, which the client library adds.
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds"}

DASHBOARD: dict[str, Any] = json.loads(files("chatd.ops").joinpath("grafana.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def published(name: str, kind: Kind) -> set[str]:
    """The sample names of one metric in a scrape."""
    return {f"{name}_bucket", f"{name}_count", f"{name}_sum"} if kind is Kind.HISTOGRAM else {name}


async def test_every_metric_of_the_table_is_published_and_no_other(db: Path) -> None:
    async with operated(db) as operator:
        # One refused client, so that all refusal metrics have a value.
        await operator.chatd.client.websocket({}, early=b"")
        seen = await operator.metrics()
    ours = {name for name in seen.names if name.startswith("chatd_")}
    assert ours == set().union(*(published(metric.name, metric.kind) for metric in METRICS))
    for metric in METRICS:
        assert seen.types[metric.name.removesuffix("_total")] == metric.kind.value
        for labels in seen.labels_of(metric.name) if metric.labels else ():
            assert {name for name, _ in labels} == set(metric.labels)
    assert seen.names >= PROCESS


async def test_every_label_exists_before_its_first_count(db: Path) -> None:
    """Else `rate()` would miss the first increment."""
    async with operated(db) as operator:
        seen = await operator.metrics()
    for reason in CloseReason:
        assert seen("chatd_disconnects_total", reason=reason.value) == 0


OFF = {
    "chatd_team_waiting": ("--admin-messages", "team", "--payload", "full", "--presence", "on"),
    "chatd_adapter_up": ("--bus-adapter", "socket.io", "--bus-adapter-url", "redis://127.0.0.1:1"),
}


async def test_metrics_of_a_part_have_numbers_while_it_is_on_alone(db: Path) -> None:
    """D-11, N-30: those of webhooks, of nodes and of an identity provider are with the tests of these."""
    async with operated(db) as operator:
        off = await operator.metrics()
    assert all(math.isnan(off(name)) for name in OFF)
    async with operated(db, *(flag for flags in OFF.values() for flag in flags)) as operator:
        seen = await operator.metrics()
    assert [seen(name) for name in OFF] == [0, 0]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_are_what_prometheus_expects(metric: Any) -> None:
    """https://prometheus.io/docs/practices/naming/"""
    assert re.fullmatch(r"chatd_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.help.endswith(".")
    assert metric.advice.endswith(".")


def test_each_part_has_one_group_of_metrics_and_each_metric_one_name() -> None:
    names = [group.part for group in GROUPS]
    assert len(set(names)) == len(names)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_readme_has_the_table() -> None:
    assert table() in (ROOT / "README.md").read_text(), "put what chatd.daemon.metrics.table() says into README.md"


def test_the_dashboard_draws_only_what_is_published_and_all_of_it() -> None:
    drawn = set(re.findall(r"\b(?:chatd|process)_[a-z_]+\b", " ".join(EXPRESSIONS)))
    known = set().union(*(published(metric.name, metric.kind) for metric in METRICS))
    assert drawn <= known | PROCESS
    assert [metric.name for metric in METRICS if not published(metric.name, metric.kind) & drawn] == []


def test_the_dashboard_has_the_form_that_grafana_needs() -> None:
    assert DASHBOARD["title"] == "chatd"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["description"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)), "panels overlap"
    for expression in EXPRESSIONS:
        assert expression.count("(") == expression.count(")")
        assert 'instance=~"$instance"' in expression


def test_the_dashboard_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard"]) == 0
    assert json.loads(capsys.readouterr().out) == DASHBOARD
