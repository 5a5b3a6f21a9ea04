"""A part of the daemon, as one object: what it does at start, stop and end, its live settings, and its counters.

The rooms of the house make their parts, out of what these need; the daemon has the list of them and a loop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Counts = Callable[[], Iterable[tuple[str, int]]]
"""Returns counters by name; a counter only grows."""


class Live(NamedTuple):
    """Settings that a reload changes. See Reload in chatd/settings/reload.py."""

    name: str
    prepare: Callable[[Any], Callable[[], None]]
    """Read and check what a configuration names, and return what applies it. Raises ConfigError."""
    keeps: Callable[[Any], bool] | None = None
    """Whether the files are the same until a restart."""


def _nothing() -> None: ...


async def _end_nothing() -> None: ...


def _no_fault() -> None: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Exists from its creation, works from `start` to `close`."""

    start: Callable[[], Awaitable[object] | None] = _nothing
    stopping: Callable[[], None] = _nothing
    """Called when a stop begins: clients are about to be sent away."""
    close: Callable[[], Awaitable[object]] = _end_nothing
    """Idempotent; called without `start` if the daemon cannot start."""
    live: Sequence[Live] = ()
    refusals: Mapping[str, Counts] = dataclasses.field(default_factory=dict)
    """What it refuses, by layer, then by limit: chatd_refusals_total."""
    shown: Mapping[str, Callable[[], object | None]] = dataclasses.field(default_factory=dict)
    """Return the source of its metrics, None while it is off, by the name of the Group (chatd/base/metric.py)."""
    fault: Callable[[], str | None] = _no_fault
    """Why no client should come to this daemon; None if there is no reason. /readyz answers 503 with it."""
    worry: Callable[[], str | None] = _no_fault
    """What is wrong while clients may come, for the answer of /readyz."""
