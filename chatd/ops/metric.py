"""The declaration of a metric: its name, its meaning, what to do when it changes, and the function that reads it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chatd.base.histogram import Histogram

if TYPE_CHECKING:
    from chatd.ops.lag import LoopLag
    from chatd.ops.readiness import ReadinessGate
    from chatd.ops.watched import Watched
    from chatd.settings.reload import Reload


class Kind(enum.StrEnum):
    """The metric types of Prometheus: https://prometheus.io/docs/concepts/metric_types/"""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that a metric may read."""

    watched: Watched
    lag: LoopLag
    gate: ReadinessGate
    reload: Reload[Any]


Labels = tuple[str, ...]
Reading = float | Histogram | Mapping[Labels, float]
"""The value of a metric; with labels, a number for each tuple of label values."""


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """`name` is the name in queries; that of a counter ends in `_total`."""

    name: str
    kind: Kind
    help: str
    advice: str
    """What to do when it changes."""
    read: Callable[[Sources], Reading]
    labels: Labels = ()
