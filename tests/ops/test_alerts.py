"""The alert rules, checked by promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from chatd.daemon.metrics import METRICS
from tests.cli.command import chatd
from tests.ops.tools import tool

# One hour without faults; then the database cannot be written, the disk is full, and a reload is refused.
CASES = """\
rule_files: [chatd.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="chatd",instance="a"}}', values: '1x120'}}
      - {{series: 'chatd_ready{{instance="a"}}', values: '1x120'}}
      - {{series: 'chatd_reload_refused{{instance="a"}}', values: '0x60 1x60'}}
      - {{series: 'chatd_store_log_bytes{{instance="a"}}', values: '4000000x60 2000000000x60'}}
      - {{series: 'chatd_jwks_age_seconds{{instance="a"}}', values: '0+1x60 4000+60x60'}}
      - {{series: 'chatd_store_failures_total{{instance="a"}}', values: '0x60 1+1x60'}}
      - {{series: 'chatd_store_free_bytes{{instance="a"}}', values: '9000000000x60 1000000x60'}}
    alert_rule_test: [{cases}]
"""
CASE = "{{eval_time: {minute}m, alertname: {name}, exp_alerts: [{expected}]}}"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "chatd.yml").write_text(chatd("alerts").stdout)
    return tmp_path / "chatd.yml"


def promtool(*arguments: str | Path, cwd: Path) -> str:
    command = [tool("promtool", "prometheus"), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules(rules: Path) -> None:
    said = promtool("check", "rules", rules, cwd=rules.parent)
    assert f"{rules.read_text().count('- alert:')} rules found" in said


def test_alerts_fire_for_faults_only(rules: Path) -> None:
    names = (
        "ChatdReloadRefused",
        "ChatdStoresNothing",
        "ChatdDiskFillsUp",
        "ChatdKeysAreOld",
        "ChatdDatabaseLogGrows",
    )
    summaries = {
        name: re.search(rf"alert: {name}\n.*?summary: (\".*?\")", rules.read_text(), re.DOTALL)[1]  # type: ignore[index]
        for name in names
    }
    severities = dict(zip(names, ("ticket", "page", "ticket", "page", "ticket"), strict=True))
    cases = [CASE.format(minute=50, name=name, expected="") for name in names]
    for name in names:
        expected = (
            f"{{exp_labels: {{severity: {severities[name]}, instance: a}}, "
            f"exp_annotations: {{summary: {summaries[name].replace('{{ $labels.instance }}', 'a')}}}}}"
        )
        cases.append(CASE.format(minute=90, name=name, expected=expected))
    (rules.parent / "test.yml").write_text(CASES.format(cases=", ".join(cases)))
    promtool("test", "rules", "test.yml", cwd=rules.parent)


def test_every_metric_of_a_rule_is_one_that_is_published(rules: Path) -> None:
    """A rule on another name would never fire."""
    published = {metric.name for metric in METRICS}
    found = {name.removesuffix("_bucket") for name in re.findall(r"\bchatd_\w+", rules.read_text())}
    assert len(found) > 5
    assert found <= published
