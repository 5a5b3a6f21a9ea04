"""The declaration of a metric: its name, its meaning, what to do when it changes, and the function that reads it.

Each part of the daemon has a module with its metrics, which does not import the part: metrics of parts that are off are
published too.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from chatd.base.histogram import Histogram

Labels = tuple[str, ...]
Reading = float | Histogram | Mapping[Labels, float]
"""The value of a metric; with labels, a number for each tuple of label values."""

Source = TypeVar("Source")


class Kind(enum.StrEnum):
    """The metric types of Prometheus: https://prometheus.io/docs/concepts/metric_types/"""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True)
class Metric(Generic[Source]):
    """`name` is the name in queries; that of a counter ends in `_total`."""

    name: str
    kind: Kind
    help: str
    advice: str
    """What to do when it changes."""
    read: Callable[[Source], Reading]
    labels: Labels = ()
    off: Reading = math.nan
    """The value while the part is off."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group(Generic[Source]):
    """The metrics of one part. `part` is the name under which the part shows their source: see Part.shown."""

    part: str
    metrics: tuple[Metric[Source], ...]

    def readings(self, source: Source | None) -> Iterator[tuple[Metric[Source], Reading]]:
        """`source` is None while the part is off."""
        for metric in self.metrics:
            yield metric, metric.off if source is None else metric.read(source)
