"""Micro-benchmarks: the cost of one call."""

from __future__ import annotations

import gc
import timeit
from collections.abc import Callable
from typing import Final

ROUNDS: Final = 7
TARGET_S: Final = 0.05


def microseconds(call: Callable[[], object], rounds: int = ROUNDS, target_s: float = TARGET_S) -> float:
    """One call, in the best of the rounds: noise only ever adds time. A round lasts about `target_s`.

    timeit switches the garbage collector off: its cost is measured by the benchmark `connections`, as pauses.
    """
    timer = timeit.Timer(call)
    number = 1
    while (spent := timer.timeit(number)) < target_s / 4:
        number *= 4
    number = max(1, int(number * target_s / max(spent, 1e-9)))
    gc.collect()
    return min(timer.repeat(repeat=rounds, number=number)) / number * 1e6
