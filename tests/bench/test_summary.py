"""The main table is made from the result files of the benchmarks."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from bench import summary
from bench.report import RESULTS

ROOT = Path(__file__).parents[2]


def _results() -> dict[str, list[dict[str, Any]]]:
    return {name: summary._read(RESULTS / f"{name}.jsonl") for name in summary.NEEDED}


def test_the_readme_shows_the_table_of_the_results() -> None:
    """After a new measurement, update the README."""
    table = summary.markdown(_results())
    assert table == (RESULTS / "summary.md").read_text()
    assert table in (ROOT / "README.md").read_text()


def test_a_server_without_a_result_has_a_dash() -> None:
    results = _results()
    for name, case in (("fanout", {"recipients": 10, "in_flight": 1}), ("relay", {"ack": True})):
        of_node = [one for one in results[name] if one.get("server") == "node" and case.items() <= one["case"].items()]
        results[name] = [one for one in results[name] if one.get("server") != "node-sqlite"]
        results[name] += [copy.deepcopy(one) | {"server": "node-sqlite"} for one in of_node]
    results["fanout"][0]["versions"]["node-sqlite"] = "1"
    head, _, *rows = [line.split(" | ") for line in summary.markdown(results).splitlines() if line.startswith("|")]
    column, node = head.index("node-sqlite"), head.index("node")
    cells = {row[0].removeprefix("| "): row for row in rows}
    measured = {name for name, row in cells.items() if row[column] != summary.NOT_MEASURED}
    assert measured == {
        "fan-out to 10 admins, 1 in flight, deliveries/s",
        "fan-out to 10 admins, 1 in flight, CPU of a delivery",
        "the same, acknowledged (chatd, node-sqlite: when it is on disk)",
    }
    for name in measured:
        assert cells[name][column] == cells[name][node]
    assert "chatd : node-sqlite" in head
