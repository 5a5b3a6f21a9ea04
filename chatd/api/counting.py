"""The numbers of /metrics as JSON. Rule A-17."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from chatd.api.words import Counts, Sample
from chatd.base.histogram import Histogram
from chatd.ops.metric import Metric, Sources
from chatd.ops.metrics import METRICS


def counts(sources: Sources) -> Counts:
    return Counts([sample for metric in METRICS for sample in _samples(metric, sources)])


def _samples(metric: Metric, sources: Sources) -> Iterator[Sample]:
    """Of a histogram the count and the sum, as Prometheus calls them."""
    reading = metric.read(sources)
    if isinstance(reading, Histogram):
        yield Sample(f"{metric.name}_count", float(reading.count), {})
        yield Sample(f"{metric.name}_sum", float(reading.sum), {})
    elif isinstance(reading, Mapping):
        for values, number in reading.items():
            yield Sample(metric.name, float(number), dict(zip(metric.labels, values, strict=True)))
    else:
        yield Sample(metric.name, None if math.isnan(reading) else float(reading), {})
