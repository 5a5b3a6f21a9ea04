"""Fuzzing of the whole server: see machine.py. `make fuzz` goes on for longer."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.attack.machine import WholeServer
from tests.conftest import number_of

RUNS_AT_A_TIME = 10
MOVES_IN_A_RUN = 40

# Shrinking a failure to its shortest example takes minutes, so only a long search (`make fuzz`) does it.
LONG_S = 60.0


def test_no_input_harms_the_server_or_its_honest_clients(request: pytest.FixtureRequest) -> None:
    seconds = number_of(request, "--fuzz-seconds")
    some = settings(
        max_examples=RUNS_AT_A_TIME,
        stateful_step_count=MOVES_IN_A_RUN,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if seconds >= LONG_S else [Phase.generate],
    )
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        run_state_machine_as_test(WholeServer, settings=some)
        runs += RUNS_AT_A_TIME
    print(f"{runs} runs, {WholeServer.steps} moves")
