"""The main table is made from results as the benchmarks write them."""

from __future__ import annotations

from pathlib import Path

from bench import summary
from bench.report import RESULTS

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_the_table_of_the_results() -> None:
    """Whoever measures again shows it."""
    results = {name: summary._read(RESULTS / f"{name}.jsonl") for name in summary.NEEDED}
    table = summary.markdown(results)
    assert table == (RESULTS / "summary.md").read_text()
    assert table in (ROOT / "README.md").read_text()
