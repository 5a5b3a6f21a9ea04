from __future__ import annotations

import pytest

from tests.cluster.simulation.__main__ import main
from tests.cluster.simulation.broken import BROKEN


def test_many_runs_print_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "20", "--first", "7"]) == 0
    assert "20 runs" in capsys.readouterr().out


def test_one_run_is_printed_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    with BROKEN["heal"]():
        bad = next(seed for seed in range(100) if main(["--seed", str(seed)]) == 1)
    assert f"seed {bad}: {{" in capsys.readouterr().out
    assert main(["--seed", str(bad)]) == 0
    assert f"seed {bad}: all is well" in capsys.readouterr().out


def test_the_command_fails_if_a_run_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with BROKEN["heal"]():
        assert main(["--seeds", "60"]) == 1
    assert "again: python -m tests.cluster.simulation --seed " in capfd.readouterr().out
