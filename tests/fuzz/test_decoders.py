"""Every decoder runs on its corpus and on one second of mutations of it. `make fuzz` searches longer, guided by
coverage.
"""

from __future__ import annotations

import random
import time

import pytest

from tests.conftest import number_of
from tests.fuzz.corpus import FOLDER, load
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs(name: str) -> None:
    inputs = load(name)
    assert inputs
    for one in inputs:
        TARGETS[name](one)


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_decoded_or_refused(name: str, seed: int, request: pytest.FixtureRequest) -> None:
    corpus, dice = load(name), random.Random(seed)
    end = time.monotonic() + number_of(request, "--decoder-seconds")
    count = 0
    while time.monotonic() < end:
        one = mutated(dice, corpus)
        count += 1
        try:
            TARGETS[name](one)
        except Exception as error:
            raise AssertionError(f"{name} failed for {one!r}: keep it in {FOLDER.name}/{name}.txt") from error
    print(f"{name}: {count} inputs")
