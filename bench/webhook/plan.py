"""The parameters of the benchmark, and common functions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from bench import machine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` is messages a second besides the honest clients; `events` are those of a receiver that is down."""

    seconds: float = 10.0
    rounds: int = 3
    rate: int = 1_000
    events: int = 100_000


def on_load_core(work: Coroutine[Any, Any, T]) -> T:
    """Run it on the core without a server."""
    with machine.pinned(machine.cores().load):
        return asyncio.run(work)


def verdict(goal: str, *, reached: bool) -> str:
    return f"goal {goal}: {'ok' if reached else 'missed'}"
